"""Tangent features: the Jacobian at w0, its products and its kernel, by structure."""
