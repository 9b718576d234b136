"""The emergency lock: close a role of a school, or all of them, immediately during an incident.

Invariants: no password or code opens an account of a closed role; an actor who closes their own role keeps their
current sign-in and loses the others; the administrator closes neither the head's role nor the inspectors', and reopens
none.
"""
