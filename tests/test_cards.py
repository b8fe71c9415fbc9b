"""What objects show of themselves: short, escaped, and no verdict before the end."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from lazycore import Comparisons, ConfigError, LazyLabError, SweepConfig, SweepResult
from lazycore.config.card import TONES, Card
from lazycore.figures import objects, panels_of, style
from lazycore.machine import extras
from lazycore.results import drawn

SWEEP = {"task": "sine", "dynamics": "gd", "steps": "5", "alpha": "0.1:1000:3", "init_seed": "0:2"}


@pytest.fixture
def table(make_run):
    """A sweep of which one run failed and one is still to come."""
    config = SweepConfig.from_text(SWEEP)
    table = SweepResult(config)
    for cell in config.cells[:4]:
        table.add(cell.digest, make_run(cell.values["alpha"]))
    table.add_failure(config.cells[4].digest, "<script>alert(1)</script>\x1b[2J it broke")
    return table


def tree(html: str) -> ET.Element:
    return ET.fromstring(html)


def test_a_run_is_a_few_lines_with_verdict_gap_kernel_and_floor(make_run):
    run = make_run(100.0)
    lines = repr(run).splitlines()
    assert lines[0] == f"RunResult: {run.verdict}" and len(lines) <= 12
    assert max(map(len, lines)) < 160
    for part in ("relative gap", "kernel change", "floor", "α 100", run.digest, "→"):
        assert part in repr(run)


@pytest.mark.parametrize("status", ["cancelled", "budget", "running"])
def test_a_run_before_its_end_has_no_verdict(make_run, status):
    run = replace(make_run(100.0), status=status)
    for said in (repr(run), run._repr_html_()):
        assert "no verdict before its end" in said
        assert not any(f">{word}<" in said or f": {word}\n" in said for word in TONES)
        assert "Losses of a lazy" not in said and "Losses of a crossover" not in said
    assert all(tone not in run._repr_html_().split("<svg")[0] for tone in list(TONES.values())[:3])


def test_a_run_without_a_record_shows_itself_too(make_run):
    run = replace(make_run(), time=np.array([]), series={}, sparse={}, status="cancelled")
    assert "before its first record" in repr(run) and "no curve yet" in run._repr_html_()


def test_a_model_that_diverged_is_said(make_run):
    run = make_run(1.0)
    latest = {**run.latest, "nonlinear.status": "diverged"}
    assert "the network diverged" in repr(replace(run, status="diverged", latest=latest))


def test_a_notebook_gets_a_picture_and_the_names_of_the_figures(make_run):
    run = make_run(100.0)
    html = tree(run._repr_html_())
    assert len(html.findall(".//{http://www.w3.org/2000/svg}polyline")) == 4
    said = "".join(html.itertext())
    assert all(panel.question in said for panel in panels_of(run))


def test_no_style_sheet_of_a_card_reaches_the_notebook_around_it(make_run, table):
    for thing in (make_run(), table, table.config, table.config.base):
        assert "<style" not in thing._repr_html_() and "class=" not in thing._repr_html_()


def test_a_table_counts_what_its_runs_came_to(table):
    lines = repr(table).splitlines()
    assert lines[0].startswith("SweepResult: 5 of 6 runs: ") and "1 failed" in lines[0]
    assert "alpha" in repr(table) and "0.1:1000:3" in repr(table)
    assert "0 of 6 runs" in repr(SweepResult(table.config))


def test_messages_are_escaped_and_move_no_cursor(table):
    assert "<script>" not in table._repr_html_()
    assert "&lt;script&gt;" in table._repr_html_()
    assert "\x1b" not in repr(table)
    assert tree(table._repr_html_()) is not None


def test_a_table_has_a_mark_for_each_run_that_has_a_gap(table):
    titles = tree(table._repr_html_()).findall(".//{http://www.w3.org/2000/svg}title")
    assert len(titles) == 4


def test_comparisons_show_and_draw_themselves(make_run):
    runs = {(a,): make_run(a) for a in (0.1, 10.0)}
    error = LazyLabError("its <b>module</b> broke")
    found = Comparisons({"alpha": (0.1, 10.0, 20.0)}, {**runs, (20.0,): error})
    assert repr(found).startswith("Comparisons: 3 runs: ") and "its <b>module" in repr(found)
    assert "<b>" not in found._repr_html_()
    assert [*found.figures()] == ["lines", "map"]
    assert len(found.plot("lines").data) > 0


@pytest.mark.parametrize("name", ["lines", "map"])
def test_a_figure_of_a_table_is_plotlys(table, name):
    figure = table.plot(name, "kernel_change")
    assert type(figure).__name__ == "Figure" and figure.layout.paper_bgcolor == "white"


def test_every_figure_of_a_run_can_be_plotted(make_run):
    run = make_run(2.0)
    assert [*run.figures()] == [panel.name for panel in panels_of(run)]
    for name in run.figures():
        assert run.plot(name, log=False).layout.title.text


@pytest.mark.parametrize(
    ("name", "view", "part"),
    [
        ("lin", {}, "'lines'"),
        ("map", {"quantity": "kernel_chang"}, "'kernel_change'"),
        ("map", {"quantity": "zzz"}, "as in"),
        ("map", {"x": "width"}, "not an axis"),
        ("map", {"width": 3}, "not an axis"),
        ("map", {"alpha": 3}, "not on its axis"),
        ("lines", {"alpha": 10.0, "init_seed": 0}, "leave one out"),
    ],
)
def test_a_wrong_plot_of_a_table_is_a_sentence(table, name, view, part):
    with pytest.raises(ConfigError, match=part):
        table.plot(name, **view)


@pytest.mark.parametrize(("name", "part"), [("losse", "'losses'"), ("gram", "not recorded")])
def test_a_wrong_plot_of_a_run_is_a_sentence(make_run, name, part):
    with pytest.raises(ConfigError, match=part):
        make_run().plot(name)


def test_without_plotly_a_plot_is_a_sentence(make_run, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(LazyLabError, match=r"lazylab\[app\]"):
        make_run().plot()
    assert "<svg" in make_run()._repr_html_()


def test_without_anyone_who_draws_there_is_a_sentence(monkeypatch):
    monkeypatch.setattr(drawn, "_found", [])
    with pytest.raises(LazyLabError, match="import lazycore"):
        drawn.artist()


def test_who_draws_is_the_artist_that_results_ask_for():
    assert drawn.artist() is objects
    wanted = {n for n in vars(drawn.Artist) if n[0] != "_"}
    assert wanted <= {*vars(objects)}


def test_a_verdict_has_one_colour_in_cards_and_figures():
    assert TONES == style.VERDICTS


def test_a_snapshot_is_short_and_has_no_verdict(make_run):
    import conftest

    snapshot = conftest._snapshot(1.0, 10.0, 2)
    assert "20 % of the work done" in repr(snapshot) and len(repr(snapshot)) < 400
    assert tree(snapshot._repr_html_()) is not None


def test_a_card_escapes_all_that_it_is_given():
    evil = '<i>&"'
    card = Card(
        kind=evil, head=evil, said=evil, rows=((evil, evil),), notes=(evil,), more=((evil, ()),)
    )
    assert "<i>" not in card.html() and tree(card.html()) is not None
