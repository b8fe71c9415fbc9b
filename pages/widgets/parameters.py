"""Which page a parameter of the address belongs to: its name says so by how it begins.

A parameter that no page owns is a field of a run, or a word that is no parameter at all. So a new
control of a page needs no entry anywhere.
"""

OWNERS = {
    "": ("at",),
    "sweep": ("s_",),
    "phases": ("p_",),
    "compare": ("runs", "figures", "by_seed", "compare_"),
    "figures": ("fig", "fig_"),
    "theorems": ("t_",),
    "refresh": ("r_",),
    "data": ("d_",),
    "runs": ("run",),
}
"""By page: whole names, and what names begin with (the latter end in an underscore)."""

WITHOUT_CONTROL = ("run",)
"""Parameters that no control of their page shows."""

OF_EXPLORE = ("axes", "auto")
"""Parameters of Explore that are no fields of a run."""

OF_LINKS = ("v", "embed", "embed_options")
"""Parameters of any link, whatever page it opens."""


def owner(name: str) -> str | None:
    """Return the path of the page that a parameter belongs to; None for fields and unknown ones."""
    for page, prefixes in OWNERS.items():
        if any(name == one or (one[-1] == "_" and name.startswith(one)) for one in prefixes):
            return page
    return "explore" if name in OF_EXPLORE else None


def belongs(name: str, page: str) -> bool:
    """Whether a parameter is one that this page may have: its own; of Explore also any field."""
    owned = owner(name)
    return owned == page or (owned is None and page == "explore" and name not in OF_LINKS)


def may_be_field(name: str) -> bool:
    """Whether a parameter of a link is read as a field of a run: no page's own word for itself."""
    return owner(name) is None and name not in OF_LINKS
