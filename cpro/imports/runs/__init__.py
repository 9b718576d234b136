"""The life cycle of an import and its files, from the deposit to the decision to apply or abandon it."""
