"""Accounts of pupils: opened for those who have none, linked to their pupil and unlinked from them.

A pupil has one account at most, an account of a pupil names one pupil at most: what the account opens is that pupil's
records, so a changed link ends whatever the account had.
"""
