"""The history of the settings: its parts, their lines, and how what a line replaced is restored."""
