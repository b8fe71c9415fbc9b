"""What is measured on the way, each by its name in the record."""
