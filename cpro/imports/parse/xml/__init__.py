"""XML of any size and origin, read record by record; its content is untrusted."""
