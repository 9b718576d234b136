"""How the pages describe accounts: sentences, and the consequences of an action."""
