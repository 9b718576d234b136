"""The history of the settings: its parts, their lines, and how the value that a line replaced is restored."""
