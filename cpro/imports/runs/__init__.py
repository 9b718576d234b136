"""The life of an import and its files, from the deposit to the decision to apply it or to give it up."""
