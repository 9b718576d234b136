"""Habits: one user's saved searches and chosen columns for each list.

Words: a *kept list* is a search, with filters and a sort, under a name chosen by its author; *columns* are those the
user chose to see. Invariants: both are visible to their account only, are deleted with it, and grant no right: a
kept list is parsed like a URL each time it is shown, and columns are looked up among those of the screen.
"""
