"""Statements of the paper, each beside what a run says of it; numbers are those of version 4."""
