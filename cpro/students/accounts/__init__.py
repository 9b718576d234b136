"""Accounts of pupils: opened for pupils who have none, linked to their pupil and unlinked from them.

A pupil has at most one account, and a pupil's account is linked to at most one pupil. The account gives access to that
pupil's records, so changing the link closes everything the account had open.
"""
