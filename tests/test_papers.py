"""One paper is one folder: its card, and names that it shares with another paper.

A toy paper in a folder of its own has a figure, a theorem, a claim and shipped runs that are
called as those of the first paper are; both are found everywhere.
"""

import importlib
import sys
from collections.abc import Callable

import pytest
from test_pages import charts, opened, root, words

from lazycore import papers
from lazycore.cli import main
from lazycore.papers import card, checking, claim, collection, reproduction, shelf, theorem
from pages.theorems.controls import THEOREM
from pages.widgets.declared import pages

__all__ = ["root"]

CARD = '''
"""A paper that there is not."""
from lazycore.papers.card import Card
CARD = Card(
    title="Toys", authors=("Doe", "Roe", "Poe"), year=2031, arxiv="3101.00001", said="Toys learn.",
    pages=("figures", "theorems"),
)
'''
FIGURE = """
from lazycore.config.run import RunConfig
from lazycore.papers.reproduction import Reproduction, Scale, Setting, Size
TINY = RunConfig(task="sine", n_train=4, n_test=0, width=4, dynamics="gd", steps=3)
JOBS = Size(said="One run.", make=lambda: [TINY])
REPRODUCTION = Reproduction(
    name="1c", title="A toy's loss", caption="It falls.", x=Scale(title="time (1)"),
    y=Scale(title="loss (1)"), settings=(Setting(name="toy", differs="", sizes={"quick": JOBS}),),
)
"""
THEOREM_FILE = """
from lazycore.config.run import RunConfig
from lazycore.papers.theorem import Theorem
THEOREM = Theorem(
    name="Theorem 2.4", title="Toys are lazy", statement="They are.", source="Theorem 2.4",
    examples={"a toy": RunConfig(task="sine", n_train=4, width=4, dynamics="gd", steps=3)},
    hypotheses=lambda result: [],
)
"""
CLAIM = """
from lazycore.papers.claim import Check, Row
CHECKS = (
    Check(name="theorem-2.3", source="Toys", judge=lambda results: [Row("toys", "1", "1", True)]),
)
"""
SHIPPED = """
from functools import partial
from lazycore.papers.reproduction import quick_jobs
from lazycore.papers.shelf import Shipment
SHIPS = (Shipment(name="figures", folder="toy/figures", jobs=partial(quick_jobs, "toy-paper")),)
"""
FILES = {
    "__init__.py": CARD,
    "figures/__init__.py": "",
    "figures/figure_1c.py": FIGURE,
    "figures/_shipped.py": SHIPPED,
    "theorems/__init__.py": "",
    "theorems/theorem_2_4.py": THEOREM_FILE,
    "claims/__init__.py": "",
    "claims/theorem_2_3.py": CLAIM,
}
COLLECTORS: tuple[Callable, ...] = (
    card.folders,
    card.cards,
    collection.files,
    collection.called,
    reproduction.collect,
    theorem.theorems,
    shelf.shipments,
)


def forget() -> None:
    for one in COLLECTORS:
        one.cache_clear()  # type: ignore[attr-defined]
    importlib.invalidate_caches()


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Have one more paper: a folder beside the others, and nothing else."""
    folder = tmp_path / "more" / "toy_paper"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.setattr(papers, "__path__", [*papers.__path__, str(folder.parent)])
    forget()
    yield folder
    monkeypatch.undo()
    for name in [name for name in sys.modules if name.startswith("lazycore.papers.toy_paper")]:
        del sys.modules[name]
    if hasattr(papers, "toy_paper"):
        delattr(papers, "toy_paper")
    forget()


# ── cards ────────────────────────────────────────────────────────────────────────────────
def test_every_paper_has_a_card_and_the_oldest_comes_first():
    assert list(card.cards()) == ["lazy-training", "feature-lazy", "iterative-linearization"]
    for one in card.cards().values():
        assert one.title and one.authors and one.said.endswith(".") and one.arxiv in one.link
        assert one.arxiv.startswith(f"{(one.year - 1) % 100:02d}") or one.arxiv.startswith(
            f"{one.year % 100:02d}"
        ), "written in the year or the one before"
    assert [one.short for one in card.cards().values()] == [
        "Chizat et al. 2019",
        "Geiger et al. 2020",
        "Goldwaser & Ge 2022",
    ]


def test_the_pages_of_a_paper_are_pages_and_each_page_of_papers_is_some_papers():
    shown = {page for one in card.cards().values() for page in one.pages}
    assert shown == {name for name, page in pages().items() if page.group == "Papers"}


def test_everything_knows_its_paper_by_its_folder():
    assert {one.paper for one in reproduction.collect().values()} == {"lazy-training"}
    assert {one.paper for one in theorem.theorems().values()} == {"lazy-training"}
    assert {one.paper for one in claim.collect()} == {"", *card.cards()}


@pytest.mark.parametrize("name", ["phases", "refresh"])
def test_a_papers_own_page_is_headed_and_linked_by_its_card(root, name):
    (one,) = (one for one in card.cards().values() if name in one.pages)
    app = opened(name)
    assert [title.value for title in app.title] == [one.heading]
    assert one.said in words(app) and f"[{one.short}]({one.link})" in words(app)


@pytest.mark.parametrize(("name", "said"), [("figures", "short"), ("theorems", "written_by")])
def test_a_figure_and_a_statement_name_their_paper_with_its_link(root, name, said):
    one = card.cards()["lazy-training"]
    assert getattr(one, said) in words(opened(name)) and f"]({one.link})" in words(opened(name))


# ── names that two papers share ──────────────────────────────────────────────────────────
def test_no_two_of_a_kind_are_called_alike():
    for kind, holder in (
        ("claims", "CHECKS"),
        ("figures", "REPRODUCTION"),
        ("theorems", "THEOREM"),
    ):
        names = [one.name for one in collection.held(kind, holder)]
        assert names and len(names) == len(set(names)), kind


def test_two_papers_may_call_theirs_alike_and_both_are_found(toy):
    assert list(card.cards())[-1] == "toy-paper"
    assert list(reproduction.collect())[-1] == "toy-paper/1c"
    first, second = reproduction.find("1c"), reproduction.find("toy-paper/1c")
    assert (first.paper, second.paper) == ("lazy-training", "toy-paper")
    assert first.title != second.title == "A toy's loss"
    both = [theorem.theorems()[name] for name in ("Theorem 2.4", "toy-paper/Theorem 2.4")]
    assert [one.paper for one in both] == ["lazy-training", "toy-paper"]
    assert [one.name for one in both] == ["Theorem 2.4", "toy-paper/Theorem 2.4"]


def test_a_claim_is_chosen_by_its_name_or_among_those_of_its_paper(toy):
    def chosen(*patterns, paper=None):
        found = checking.select(list(patterns), quick=True, paper=paper)
        return [(check.paper, check.name) for check in found]

    theirs = [("toy-paper", "toy-paper/theorem-2.3")]
    assert chosen("theorem-2.3") == [("lazy-training", "theorem-2.3")]
    assert chosen("toy-paper/theorem-2.3") == chosen("toy-paper/*") == theirs
    assert chosen("theorem-2.3", paper="toy-paper") == chosen(paper="toy-paper") == theirs
    assert chosen("theorem-2.3", paper="lazy-training") == [("lazy-training", "theorem-2.3")]


def test_the_command_line_knows_the_paper(toy, capsys):
    assert main(["check", "--paper", "toy-paper"]) == 0
    assert "toy-paper/theorem-2.3: Toys" in capsys.readouterr().out
    assert main(["check", "--paper", "hasty"]) == 2
    assert "iterative-linearization, lazy-training, toy-paper" in capsys.readouterr().err


def test_both_figures_are_chosen_and_linked_on_their_page(toy, root):
    app = opened("figures", fig="toy-paper/1c")
    assert not app.exception and not app.error and charts(app) == 1
    assert [title.value for title in app.title] == ["A toy's loss"]
    assert "[Doe et al. 2031](https://arxiv.org/abs/3101.00001)" in words(app)
    assert app.selectbox(key="fig").options[-1] == "toy-paper/1c"
    app.selectbox(key="fig").set_value("1c").run()
    assert not app.exception and reproduction.find("1c").title in words(app)


def test_both_statements_are_chosen_and_linked_on_their_page(toy, root):
    app = opened("theorems", t_theorem="toy-paper/Theorem 2.4")
    assert not app.exception and not app.error
    assert [title.value for title in app.title] == ["Toys are lazy"]
    assert "[Doe, Roe & Poe 2031 (arXiv:3101.00001)]" in words(app)
    app.selectbox(key=THEOREM).set_value("Theorem 2.4").run()
    assert not app.exception and theorem.theorems()["Theorem 2.4"].title in words(app)


def test_what_it_ships_is_found_built_and_shown(toy, root, monkeypatch, capsys, tmp_path):
    (tiny,) = reproduction.quick_jobs("toy-paper")
    assert shelf.find(tiny.digest) is None
    monkeypatch.setattr(shelf, "DIRECTORY", tmp_path / "atlas")
    assert shelf.main(["toy-paper/figures"]) == 0
    assert "toy-paper/figures: 1 of 1 are there" in capsys.readouterr().err
    found = shelf.find(tiny.digest)
    assert found is not None and found.status == "done"
    assert (tmp_path / "atlas" / "toy" / "figures" / f"{tiny.digest}.npz").is_file()
    assert opened("figures", fig="toy-paper/1c").button(key="compute_figure").disabled
