"""Figure 4 of Chizat, Oyallon & Bach (2019, arXiv:1812.07956): the kernel's limit."""

from lazycore.papers.claim import Check
from lazycore.papers.lazy_training.figures.figure_4 import full_agreement

CHECKS = (
    Check(
        name="figure-4",
        source="Chizat, Oyallon & Bach 2019, Figure 4",
        judge=lambda results: full_agreement(),
    ),
)
