"""What the pages of accounts show: sentences, and what follows from an action."""
