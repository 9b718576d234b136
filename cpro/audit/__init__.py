"""The journal: who did what, when, from where, on what, and what it was before.

Invariants: a line is written in the transaction of the gesture it tells, never changed, never deleted (the database
refuses too); the actor's name is kept as text; no secret and no pedagogical content is ever written in it.
"""
