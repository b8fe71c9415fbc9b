"""Tangent features that are taken anew on the way."""
