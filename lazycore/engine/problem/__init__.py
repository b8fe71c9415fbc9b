"""A training problem with every scale in its place; many of one shape as lanes."""
