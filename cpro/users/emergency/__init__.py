"""The emergency lock: a role of a school, or all of them, shut out at once while something is wrong.

Invariants: a role that is closed opens nothing, whatever the password or the code; whoever closes their own role stays
in and is signed out everywhere else; the administrator never reaches the head nor the inspectors, and reopens nothing.
"""
