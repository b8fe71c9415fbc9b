"""Chizat, Oyallon & Bach (2019), On Lazy Training in Differentiable Programming."""
