"""Tangent features: what they are, how they and their kernel are formed, from where."""
