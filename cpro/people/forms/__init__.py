"""What the pages ask, and what a form offers to choose from: shape only."""
