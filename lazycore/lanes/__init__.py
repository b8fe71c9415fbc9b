"""Runs of one shape that advance together, in one process or in several."""
