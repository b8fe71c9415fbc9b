"""The linearised model: its closed form, Lanczos, its own lanes."""
