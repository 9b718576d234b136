"""The pages of a new school year."""
