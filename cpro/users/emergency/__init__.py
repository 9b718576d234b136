"""The emergency lock: a role of a school, or all of them, shut out at once during an incident.

Invariants: no password or code opens a closed role; an actor who closes their own role keeps the sign-in they act from
and loses the others; the administrator closes neither the head's role nor the inspectors', and reopens none.
"""
