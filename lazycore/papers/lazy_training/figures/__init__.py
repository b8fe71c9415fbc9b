"""Figures of the paper, computed beside what was reported."""
