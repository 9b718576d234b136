"""Writes of the imports: their life, their application, their undoing."""
