"""Geiger, Spigler, Jacot & Wyart (2020), Disentangling feature and lazy training."""
