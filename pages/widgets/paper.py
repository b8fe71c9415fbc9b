"""Papers on a page: how one is cited, and what is of it as part of a key."""

from lazycore.papers.card import Card, cards


def cited(card: Card) -> str:
    """Return the paper in a few words, with a link to where it is read."""
    return f"[{card.short}]({card.link})"


def placed(paper: str, where: str) -> str:
    """Return where in a paper something is, after the paper in full; our own has no paper."""
    if not paper:
        return where
    card = cards()[paper]
    return f"[{card.written_by} {card.year} (arXiv:{card.arxiv})]({card.link}), {where}"


def key_of(name: str) -> str:
    """Return the name of a figure or statement as a part of a key, and of a file."""
    return name.lower().replace(" ", "_").replace(".", "_").replace("/", "_")
