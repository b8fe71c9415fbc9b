"""Goldwaser & Ge: between lazy training and gradient descent."""
