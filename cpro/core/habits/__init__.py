"""Habits: how somebody arranges each list for themselves, the searches they keep under a name and the columns they see.

Words: a *kept list* is a search, with filters and a sort, under a name of its author's; *columns* are those somebody
chose to see. Invariants: both are seen by their account alone, go with it, and give no right: a kept list is read again
as an address is each time it is shown, and columns are looked for among those of the screen.
"""
