"""The Sweep page without a browser: its links, what it shows, what it asks for and refuses."""

import subprocess
import sys

import pytest
from made_up_sweep import FIELDS, digest_at, made_up_sweep
from test_pages import ROOT, charts, opened, queue, root, words

from lazycore.config.sweep import SweepConfig
from lazycore.papers import shelf
from lazycore.papers.ours import home
from lazycore.results.store import open_store
from pages.sweep import presets
from pages.widgets import sweeplink
from pages.widgets.sweepview import View, rows_of

__all__ = ["queue", "root"]
TINY = {
    "dynamics": "gd",
    "steps": "20",
    "dim": "2",
    "n_train": "6",
    "alpha": "1,10",
    "width": "4,8",
}
PAGE = "sweep"


def keep(folder, table, partial: bool = False):
    """Store this table as the sweep's whole or unfinished one."""
    store = open_store(folder)
    put = store.put_partial_sweep if partial else store.put_sweep
    put(table.config.digest, table.to_bytes())
    store.close()


# ── what is there ────────────────────────────────────────────────────────────────────────
def test_a_finished_sweep_is_there_before_any_click(root):
    app = opened(PAGE)
    assert not app.exception and not app.error and charts(app) == 2
    assert "| power of α |" in words(app) and "Theorem 2.2 says −1" in words(app)
    assert "The table: 108 runs: " in words(app) and "lazy, " in words(app)
    assert "came without its runs" in words(app), "what ships is the table alone"
    assert app.button(key="sweep").disabled


def test_the_shipped_sweep_is_small_whole_and_goes_from_rich_to_lazy():
    table = home.sweep()
    assert table is not None and table.done == table.total
    assert shelf.shipments()["ours/home"].path(table.config).stat().st_size < 100_000
    verdicts = table.frame.groupby("alpha").verdict.agg(lambda said: said.mode()[0])
    assert (verdicts.iloc[0], verdicts.iloc[-1]) == ("rich", "lazy")


def test_the_shipped_sweep_is_what_the_engine_computes():
    from lazycore.running.run import run

    table = home.sweep()
    assert table is not None
    frame = table.frame.set_index("digest")
    for cell in (table.config.cells[-1], table.config.cells[len(table.config.cells) // 2]):
        fresh = run(cell.config, device="cpu")
        shipped = frame.loc[cell.digest]
        assert (shipped.status, shipped.verdict) == (fresh.status, fresh.verdict)
        gap = fresh.series["gap.train_output"].max()
        assert shipped.largest_gap == pytest.approx(gap, abs=2.0 * fresh.numerical_error)


# ── links ────────────────────────────────────────────────────────────────────────────────
def test_a_link_spelled_as_the_command_line_sets_every_control(root):
    app = opened(PAGE, **TINY, loss="logistic", x="width", y="alpha", of="kappa", levels="0.5")
    boxes = {box.key: box.value for box in app.text_input}
    assert (boxes["s_alpha"], boxes["s_width"], boxes["s_steps"]) == ("1,10", "4,8", "20")
    choices = {box.key: box.value for box in app.selectbox}
    assert choices["s_loss"] == "logistic" and choices["s_dynamics"] == "gd"
    assert (choices["s_x"], choices["s_y"], choices["s_of"]) == ("width", "alpha", "kappa")
    assert boxes["s_levels"] == "0.5" and boxes["s_seed"] == ""
    assert not app.exception and not app.error


def test_the_pages_own_link_is_read_too(root):
    own = {f"s_{name}": value for name, value in TINY.items()}
    app = opened(PAGE, **own, s_task="teacher")
    assert app.button(key="sweep").label == "Sweep 4 runs" and not app.error


def test_the_link_of_a_sweep_opens_the_same_sweep(root):
    from urllib.parse import parse_qsl, urlsplit

    config = SweepConfig.from_text(FIELDS)
    view = View("width", "alpha", "kernel_change", "0.2", (), {})
    fields = dict(parse_qsl(urlsplit(sweeplink.link(config, view)).query))
    keep(root, made_up_sweep())
    app = opened(PAGE, **fields)
    assert app.button(key="sweep").disabled
    assert app.selectbox(key="s_x").value == "width" and app.selectbox(key="s_y").value == "alpha"
    assert app.text_input(key="s_levels").value == "0.2"


def test_axes_of_words_and_derived_ones_go_into_a_box_of_their_own(root):
    link = TINY | {"loss": "square,logistic"}
    app = opened(PAGE, **link)
    assert app.text_input(key="s_more").value == "loss=square,logistic"
    assert app.button(key="sweep").label == "Sweep 8 runs"
    assert app.selectbox(key="s_at_loss").options == ["square", "logistic"]
    derived = {k: v for k, v in TINY.items() if k != "alpha"} | {"alpha_sqrt_width": "1:100:3"}
    app = opened(PAGE, **derived)
    assert app.button(key="sweep").label == "Sweep 6 runs" and not app.error


def test_explore_takes_nothing_of_a_sweep_for_a_field(root):
    app = opened("explore", s_alpha="1,10", runs="00", by_seed="false")
    assert not app.error and not app.exception


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"alpha": "1:10"}, "says no number of values"),
        ({"alpha": "5"}, "a sweep needs a field with several values"),
        ({"widht": "3,4"}, "Did you mean 'width'?"),
        ({"alpha": "1,10", "task": "imagenet"}, "task=imagenet is not allowed"),
        ({"alpha": "1,10", "levels": "abc"}, "levels=abc is not allowed"),
        ({"width": "1:100000:90000"}, "at most 20,000"),
    ],
)
def test_a_bad_link_is_one_sentence(root, link, sentence):
    app = opened(PAGE, **link)
    assert not app.exception
    assert [sentence in error.value for error in app.error] == [True]


def test_a_sweep_that_costs_too_much_is_refused_in_a_sentence(root):
    app = opened(PAGE, alpha="1,10", seed="0:900", n_train="2000", width="2000", depth="")
    app.button(key="sweep").click().run()
    assert not app.exception and len(app.error) == 1


# ── computing ────────────────────────────────────────────────────────────────────────────
def test_sweep_queues_and_cancel_takes_it_back(root, queue):
    digest = SweepConfig.from_text(TINY).digest
    app = opened(PAGE, **TINY)
    assert "Not computed yet" in words(app)
    app.button(key="sweep").click().run()
    assert queue.get(digest).state == "queued" and queue.get(digest).kind == "sweep"
    app.button(key="cancel_sweep").click().run()
    assert queue.get(digest).state == "cancelled"
    assert "0 of 4 cells are there" in words(app) and not app.exception


def test_what_is_there_of_an_unfinished_sweep_is_shown(root, queue):
    table = made_up_sweep()
    table._status[6:] = 0
    keep(root, table, partial=True)
    queue.submit(table.config)
    queue.cancel(table.config.digest)
    app = opened(PAGE, **FIELDS)
    assert "6 of 24 cells are there" in words(app) and charts(app) == 2


def test_a_table_that_is_none_is_a_sentence_and_then_gone(root):
    config = SweepConfig.from_text(FIELDS)
    store = open_store(root)
    store.put_sweep(config.digest, b"no table")
    store.close()
    app = opened(PAGE, **FIELDS)
    assert not app.exception and len(app.error) == 1
    assert not app.run().error


# ── where runs get lazy ──────────────────────────────────────────────────────────────────
def test_along_one_axis_it_says_from_where_on_runs_are_lazy(root):
    fields = FIELDS | {"width": "16"}
    keep(root, made_up_sweep(fields))
    app = opened(PAGE, **fields)
    assert not app.exception and charts(app) == 2
    assert r"**Lazy from α\* = 5.9 (" in words(app) and "95 % over N = 3 seeds" in words(app)
    assert "What decides is the gap (5 %)." in words(app)


def test_along_an_axis_of_words_nothing_is_said_of_it(root):
    fields = {"task": "sine", "loss": "square,logistic"}
    keep(root, made_up_sweep(fields))
    app = opened(PAGE, **fields)
    assert not app.exception and "Lazy from" not in words(app)


def test_each_line_of_a_plane_has_where_it_gets_lazy(root):
    keep(root, made_up_sweep())
    said = words(opened(PAGE, **FIELDS))
    assert "| width = 16 | ≥ 5.9 |" in said and "| width = 64 | ≥ 3 |" in said


# ── cells, quantities, lines ─────────────────────────────────────────────────────────────
def test_the_cell_in_the_link_lists_its_runs_with_their_way_to_explore(root):
    table = made_up_sweep()
    keep(root, table)
    digest = digest_at(table, alpha=10.0, width=64, seed=1)
    app = opened(PAGE, **FIELDS, cell=digest)
    assert "α = 10, width = 64" in words(app) and "N = 3" in words(app)
    html = "".join(element.proto.body for element in app.get("html"))
    assert html.count("/explore?") == 4 and "seed 2" in html
    assert "Open the median run" in html and "/compare?" not in html  # its runs are not stored


def test_the_quantity_is_chosen_and_has_its_own_contours(root):
    keep(root, made_up_sweep())
    app = opened(PAGE, **FIELDS)
    assert app.text_input(key="s_levels").placeholder == "0.05"
    app.selectbox(key="s_of").set_value("kernel_change").run()
    assert app.text_input(key="s_levels").placeholder == "0.1, 1" and not app.exception


def test_an_axis_that_is_no_more_does_not_stay_chosen(root):
    app = opened(PAGE, **TINY, x="width", y="alpha")
    app.text_input(key="s_width").set_value("8").run()
    assert not app.exception and not app.error
    assert app.selectbox(key="s_x").value == "alpha"


def test_at_most_six_lines_evenly_spread_or_those_chosen():
    view = View("alpha", "width", "kappa", "", (), {})
    assert rows_of(view, tuple(range(11))) == [0, 2, 4, 6, 8, 10]
    assert rows_of(view, (16, 32)) == [0, 1]
    chosen = View("alpha", "width", "kappa", "", ("32", "128"), {})
    assert rows_of(chosen, (16, 32, 64, 128)) == [1, 3]


@pytest.mark.parametrize("what", ["map", "lines"])
def test_code_of_the_map_and_the_lines_runs_and_starts_with_the_command(what):
    fields = {"task": "sine", "dynamics": "gd", "steps": "5", "alpha": "1,10", "width": "4,8"}
    config = SweepConfig.from_text(fields | {"init_scale": "1,2"})
    view = View("alpha", "width", "relative_gap", "0.5", (), {"init_scale": 2.0})
    code = sweeplink.code(config, view, what)
    assert code.startswith("# python -m lazycore sweep --task sine --dynamics gd --steps 5")
    assert "--alpha 1,10" in sweeplink.command(config)
    python = [sys.executable, "-c", code.replace(".show()", "")]
    assert subprocess.run(python, cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("preset", presets.PRESETS, ids=lambda preset: preset.name)
def test_a_preset_is_a_sweep_with_two_sentences(root, preset):
    config = SweepConfig.from_text(preset.fields)
    assert {preset.view["x"], preset.view["y"]} <= set(config.axes)
    assert preset.story.count(". ") + preset.story.endswith(".") == 2
    app = opened(PAGE, alpha="1,10", width="4,8", n_train="7")
    app.pills(key="sweep_preset").set_value(preset.name).run()
    assert not app.exception and not app.error
    assert preset.story in words(app)
    assert app.button(key="sweep").label == f"Sweep {len(config.cells)} runs"
    assert app.selectbox(key="s_of").value == preset.view["of"]
    assert app.selectbox(key="s_y").value == preset.view["y"]


def test_a_sweep_has_a_name_and_a_link_among_the_runs(root, queue):
    queue.submit(SweepConfig.from_text(TINY))
    app = opened("runs")
    html = "".join(element.proto.body for element in app.get("html"))
    assert not app.exception and "4 runs: alpha 1,10 × width 4,8" in html and "/sweep?" in html
