"""Pages: load, check, call, render."""
