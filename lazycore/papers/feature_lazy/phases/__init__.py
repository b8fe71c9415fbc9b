"""Feature or lazy: what a sweep over width and √hα says of the two phases. No torch.

Geiger, Spigler, Jacot & Wyart (2020), "Disentangling feature and lazy training in deep neural
networks", arXiv:1906.08034. In their terms h is the width m and F = α(f(w) − f(w0)) is our αh
of a centred model; everything is a function of √hα, the axis `alpha_sqrt_width`.
"""

from lazycore.papers.feature_lazy.phases.cube import Cube, cube_of

__all__ = ["Cube", "cube_of"]
