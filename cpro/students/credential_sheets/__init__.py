"""Activation sheets of a division or of chosen people: created, shown once, kept nowhere.

They stand in this feature because divisions do; codes, paper and rules are those of `cpro.users`.
"""
