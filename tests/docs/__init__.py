"""README.md and the user's book: what they show is run."""
