"""A run, a sweep, a comparison: from a config to its result."""
