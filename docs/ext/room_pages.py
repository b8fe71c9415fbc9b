"""One page for each room of the library, written before the build: a new file needs no list."""

import importlib
import pkgutil
from pathlib import Path

import lazycore


def setup(app):
    """Write the pages before anything is read."""
    app.connect("builder-inited", write_all)
    return {"parallel_read_safe": True}


def write_all(app):
    """Write a page for each room; take away those of rooms that are gone."""
    folder = Path(app.srcdir) / "reference" / "rooms"
    pages = {f"{room}.md": page_of(room) for room in rooms()}
    write(folder, pages)


def write(folder, pages):
    """Have in a folder these pages and no others, those that are the same untouched."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in pages.items():
        path = folder / name
        if not path.exists() or path.read_text() != content:
            path.write_text(content)
    for path in folder.glob("*.md"):
        if path.name not in pages and path.name != "index.md":
            path.unlink()


def rooms():
    """Return the names of the rooms: what lies in `lazycore`, but how it is started."""
    return sorted(m.name for m in pkgutil.iter_modules(lazycore.__path__) if m.name != "__main__")


def modules_of(room):
    """Return the public modules of a room by their full names, the room itself first."""
    top = importlib.import_module(f"lazycore.{room}")
    inside = pkgutil.walk_packages(getattr(top, "__path__", []), f"{top.__name__}.")
    names = [m.name for m in inside]
    return [top.__name__, *(n for n in names if not any(p[0] == "_" for p in n.split(".")))]


def page_of(room):
    """Return the page of a room."""
    modules = modules_of(room)
    said = (importlib.import_module(modules[0]).__doc__ or "").split("\n")[0]
    parts = [f"# {room}\n\n{said}\n"]
    for name in modules:
        title = name.removeprefix("lazycore.")
        parts.append(f"## {title}\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n```\n")
    return "\n".join(parts)
