"""Which page a parameter of the address belongs to: its name says so by how it begins.

A parameter that no page owns is a field of a run, or a word that is no parameter at all. So a new
control of a page needs no entry anywhere.
"""

from pages.widgets.declared import Page, pages, path_of

OF_LINKS = ("v", "embed", "embed_options")
"""Parameters of any link, whatever page it opens."""


def owner(name: str) -> str | None:
    """Return the path of the page that a parameter belongs to; None for fields and unknown ones."""
    for folder, page in pages().items():
        if any(_begins(name, one) for one in page.parameters):
            return path_of(folder)
    return None


def belongs(name: str, path: str) -> bool:
    """Whether a page may have this parameter: it is its own, or a field where it reads these."""
    owned = owner(name)
    is_field = owned is None and name not in OF_LINKS
    return owned == path or (is_field and page_at(path).reads_fields)


def may_be_field(name: str) -> bool:
    """Whether a parameter of a link is read as a field of a run: no page's own word for itself."""
    return owner(name) is None and name not in OF_LINKS


def page_at(path: str) -> Page:
    """Return the page of this path in the address."""
    return next(page for folder, page in pages().items() if path_of(folder) == path)


def _begins(name: str, one: str) -> bool:
    return name == one or (one[-1] == "_" and name.startswith(one))
