"""Claims of our own, each checked by a computation."""
