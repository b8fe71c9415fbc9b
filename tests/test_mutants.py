"""The mutation run itself: it breaks what it says, tests it with what there is, and no more."""

import ast
from pathlib import Path

import pytest
from mutants import tables
from mutants.__main__ import by_hand, sampled
from mutants.sites import mutants

ROOT = Path(__file__).resolve().parents[1]
SOURCE = '''
LIMIT = 2.0
def α_of(x: float = 1.0) -> float:
    """Return (x − 1)·√x."""
    if not x > 0.0:
        raise ValueError(f"{x - 1.0} of {2.0 * x}")
    return -(x - 1.0) * max(x, LIMIT) ** 2
'''.encode()


def changes(source=SOURCE):
    return {(m.before, m.after) for m in mutants("x.py", source)}


def test_operators_functions_and_numbers_of_functions_are_broken_one_at_a_time():
    last, first = "return -(x - 1.0) * max(x, LIMIT) ** 2", "if not x > 0.0:"
    assert changes() == {
        (first, "if not x <= 0.0:"),
        (first, "if not x > 1.0:"),
        (first, "if x > 0.0:"),
        (last, "return -(x - 1.0) / max(x, LIMIT) ** 2"),
        (last, "return (-(x - 1.0))"),
        (last, "return (max(x, LIMIT) ** 2)"),
        (last, "return (x - 1.0) * max(x, LIMIT) ** 2"),
        (last, "return -(x + 1.0) * max(x, LIMIT) ** 2"),
        (last, "return -(x - 2.0) * max(x, LIMIT) ** 2"),
        (last, "return -(x - 1.0) * min(x, LIMIT) ** 2"),
        (last, "return -(x - 1.0) * max(x, LIMIT) * 2"),
        (last, "return -(x - 1.0) * max(x, LIMIT) ** 4"),
        ("def α_of(x: float = 1.0) -> float:", "def α_of(x: float = 2.0) -> float:"),
    }, "and neither words, types nor what is refused"


def test_a_mutant_is_the_file_with_one_change_that_can_still_be_read():
    path = "lazycore/theory/lazy.py"
    source = (ROOT / path).read_bytes()
    for mutant in mutants(path, source)[::9]:
        broken = mutant.applied(source)
        assert broken != source and ast.dump(ast.parse(broken)) != ast.dump(ast.parse(source))


def test_what_is_added_elsewhere_moves_no_mutant_into_the_sample_or_out_of_it():
    places = {(m.before, m.after): m.place for m in mutants("x.py", SOURCE)}
    longer = b"def f(x):\n    return x / 3.0\n" + SOURCE
    more = {(m.before, m.after): m.place for m in mutants("x.py", longer)}
    assert places.items() < more.items() and all(0.0 <= place < 1.0 for place in more.values())
    assert len(set(more.values())) == len(more)


def test_every_file_of_the_core_has_tests_that_mirror_it_and_every_pattern_a_file():
    for path in tables.core(ROOT):
        names = [name for name in tables.tests_of(path) if name.startswith("tests/")]
        assert names and all((ROOT / name).exists() for name in names), path
    for pattern in tables.CORE:
        assert list((ROOT / "lazycore").glob(pattern)), pattern


def test_the_tables_speak_of_lines_that_are_there():
    """A formula that was rewritten takes its mutants along: amend `mutants/tables.py`."""
    assert len(by_hand()) == len(tables.BY_HAND) >= 30
    sites = {path: mutants(path, (ROOT / path).read_bytes()) for path in tables.core(ROOT)}
    known = {(m.path, m.before, m.after) for found in sites.values() for m in found}
    known |= {(m.path, m.before, m.after) for m in by_hand()}
    assert tables.EXPLAINED.keys() <= known
    functions = {(m.path, m.function) for found in sites.values() for m in found}
    assert functions >= tables.ROUTES
    assert len(tables.BY_HAND) + len(sampled(tables.SHARE, "")) >= 90


def test_a_text_that_is_not_there_once_is_refused(monkeypatch):
    for text in ("no such formula", "def "):
        monkeypatch.setattr(tables, "BY_HAND", (("theory/lazy.py", text, ""),))
        with pytest.raises(SystemExit, match="amend BY_HAND"):
            by_hand()
