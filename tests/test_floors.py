"""The house: which room stands on which floor, and that every import goes down.

`pytest tests/test_floors.py -s -k table` prints the rooms, their floors and what they import.
"""

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FACE = "lazycore"
"""The library as a user imports it, and how it is started."""

FLOORS = (
    ("errors", "theory"),
    ("machine",),
    ("config",),
    ("activations", "datasets", "losses", "results"),
    ("tasks",),
    ("engine",),
    ("dynamics", "models"),
    ("running",),
    (FACE, "service"),
    ("papers",),
    ("cli", "figures"),
    ("pages",),
)
"""From the ground up. A room imports rooms of lower floors only."""

PAGES = tuple(p.parent.name for p in sorted((ROOT / "pages").glob("*/page.py")))

INSIDE = {
    "engine": (
        ("features",),
        ("networks",),
        ("problem",),
        ("linear", "measures"),
        ("steppers",),
        ("paths",),
        ("refreshed",),
    ),
    "pages": (("widgets",), ("frame", *PAGES)),
}
"""The floors of a room that has rooms of its own. A page uses no other page."""

LOOKED_UP = {
    ("config", "activations"): "whoever brings fields is found by its folder",
    ("config", "dynamics"): "",
    ("config", "losses"): "",
    ("config", "models"): "",
    ("config", "tasks"): "",
    (FACE, "figures"): "an object draws itself when it is asked to, and then only",
}
"""Rooms that look a higher one up by a name in a string, when asked: no import, and written here
with its reason."""


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    """Return every module of the library and the pages."""
    found = [p for part in ("lazycore", "pages") for p in sorted((ROOT / part).rglob("*.py"))]
    return {module_of(path): path for path in found}


@cache
def imports() -> dict[str, frozenset[str]]:
    """Return which modules of the house each module imports, wherever in its file."""
    found = {}
    for module, path in modules().items():
        names = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                whole = {f"{node.module}.{alias.name}" for alias in node.names}
                names |= {n if n in modules() else node.module for n in whole}
        found[module] = frozenset(names & modules().keys() - {module})
    return found


def room(module: str) -> str:
    parts = module.split(".")
    return parts[0] if parts[0] == "pages" or len(parts) == 1 else parts[1]


def folder(module: str) -> str:
    """Return the folder that a module lies in; of what lies in `lazycore` itself, the module."""
    path = modules()[module]
    in_house = path.parent.relative_to(ROOT).parts
    return module if in_house == ("lazycore",) else ".".join(in_house)


def arrows(place) -> dict[str, set[str]]:
    """Return which places import which others."""
    found: dict[str, set[str]] = {}
    for module, names in imports().items():
        found.setdefault(place(module), set()).update(map(place, names))
    return {one: others - {one} for one, others in found.items()}


def floors(table) -> dict[str, int]:
    return {name: number for number, row in enumerate(table, 1) for name in row}


def rooms_imported() -> dict[str, set[str]]:
    """Return which rooms import which others; `python -m lazycore` goes to its face's top."""
    return {one: others - {"__main__"} for one, others in arrows(room).items() if one != "__main__"}


def test_every_room_has_its_floor_and_imports_rooms_below_it():
    at = floors(FLOORS)
    assert rooms_imported().keys() == at.keys()
    for one, others in rooms_imported().items():
        up = {other for other in others if at[other] >= at[one]}
        assert not up, f"{one} imports {up}, which {'is' if len(up) == 1 else 'are'} not below it"


@pytest.mark.parametrize("name", INSIDE)
def test_the_floors_inside_a_room_go_down_too(name):
    at = floors(INSIDE[name])
    place = name if name == "pages" else f"lazycore.{name}"
    inside, here = f"{place}.", ROOT / place.replace(".", "/")
    found = {p.name for p in here.iterdir() if (p / "__init__.py").exists()}
    assert found == at.keys()
    for one, others in arrows(folder).items():
        if one.startswith(inside):
            below = {other.removeprefix(inside) for other in others if other.startswith(inside)}
            up = {other for other in below if at[other] >= at[one.removeprefix(inside)]}
            assert not up, f"{one} imports {up}"


def test_no_folders_import_each_other_in_a_circle():
    of, seen = arrows(folder), dict[str, int]()

    def visit(one: str, way: tuple[str, ...]) -> None:
        assert seen.get(one) != 1, f"a circle: {' → '.join((*way, one))}"
        if one not in seen:
            seen[one] = 1
            for other in sorted(of.get(one, ())):
                visit(other, (*way, one))
            seen[one] = 2

    for one in of:
        visit(one, ())


@cache
def looked_up() -> frozenset[tuple[str, str]]:
    """Return which rooms name a module of another one of their floor or above it in a string.

    A string is a name where it is one whole: docstrings and code to be shown are not.
    """
    at, found = floors(FLOORS), set()
    for module, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text())):
            name = node.value if isinstance(node, ast.Constant) else None
            if isinstance(name, str) and name in modules() and module != f"{FACE}.__main__":
                one, other = room(module), room(name)
                if one != other and at[other] >= at[one]:
                    found.add((one, other))
    return frozenset(found)


def test_what_looks_a_higher_room_up_by_its_name_is_written_down():
    assert looked_up() == LOOKED_UP.keys()


def test_the_house_is_small_enough_to_be_known():
    assert len(FLOORS) <= 12 and len(floors(FLOORS)) <= 25
    assert sum(map(len, rooms_imported().values())) <= 100
    assert {p.name for p in (ROOT / "lazycore").glob("*.*")} == {
        "__init__.py",
        "__main__.py",
        "errors.py",
        "py.typed",
    }


def test_the_table_of_floors_is_printed():
    of = rooms_imported()
    lines = [
        f"{number:>2}  {name:<12} {' '.join(sorted(of[name]))}"
        for number, row in reversed(list(enumerate(FLOORS, 1)))
        for name in row
    ]
    arrows_in_all = sum(map(len, of.values()))
    lines.append(f"{len(of)} rooms, {len(FLOORS)} floors, {arrows_in_all} arrows, none of them up")
    lines += [f"{one} looks {other} up by its name" for one, other in sorted(looked_up())]
    sys.stdout.write("\n".join(["", *lines, ""]))
