"""Geiger, Spigler, Jacot & Wyart (2020), Disentangling feature and lazy training."""

from lazycore.papers.card import Card

CARD = Card(
    title="Disentangling feature and lazy training in deep neural networks",
    authors=("Geiger", "Spigler", "Jacot", "Wyart"),
    year=2020,
    arxiv="1906.08034",
    said="A network of width h learns **features** where √h α is small and stays **lazy** where "
    "it is large; the two phases meet at α\\* ~ h^(−1/2).",
    pages=("phases",),
    heading="Feature or lazy",
    bare=("claims",),
)
