"""Claims of the paper, each checked by a computation."""
