"""Chizat, Oyallon & Bach (2019), On Lazy Training in Differentiable Programming."""

from lazycore.papers.card import Card

CARD = Card(
    title="On Lazy Training in Differentiable Programming",
    authors=("Chizat", "Oyallon", "Bach"),
    year=2019,
    arxiv="1812.07956",
    said="A model whose output is scaled up by a large α trains like its own linearisation, "
    "whatever the model is.",
    pages=("figures", "theorems"),
    bare=("claims", "theorems", "figures"),
)
