"""Checks of our own methods."""
