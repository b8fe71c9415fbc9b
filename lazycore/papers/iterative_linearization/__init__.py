"""Goldwaser & Ge (2022): iterative linearisation, between lazy training and gradient descent."""

from lazycore.papers.card import Card

CARD = Card(
    title="Understanding Sparse Feature Updates in Deep Networks using Iterative Linearisation",
    authors=("Goldwaser", "Ge"),
    year=2022,
    arxiv="2211.12345",
    said="Linearise the network, train the *linear* model for **K** steps, linearise again where "
    "it has come to: **K = 1** is gradient descent, and to linearise only once is **lazy** "
    "training. About ten updates are often enough.",
    pages=("refresh",),
    heading="How often must a network's features be taken anew?",
    bare=("claims",),
)
