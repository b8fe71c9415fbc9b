"""What is measured on a run, and what is said of it."""
