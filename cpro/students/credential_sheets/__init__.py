"""Activation sheets of a division or of chosen people: created, shown once, not archived.

They are in this feature because divisions are; codes, layout and rules are those of `cpro.users`.
"""
