"""XML of any size and any origin, read record by record; nothing in it is trusted."""
