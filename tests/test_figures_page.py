"""The Figures page without a browser: its links, what is there, what it asks for and refuses."""

import pytest
from test_pages import charts, opened, queue, root, words
from test_reproductions import filled, made_up

from lazycore.papers import shelf, tables
from lazycore.papers.lazy_training.figures import figure_1c
from lazycore.papers.reproduction import FULL, QUICK, collect, find
from lazycore.results.store import open_store
from pages.figures.controls import Choice
from pages.figures.view import code

__all__ = ["queue", "root"]
PAGE = "figures"
NAMES = list(collect())


@pytest.fixture
def nothing_shipped(monkeypatch, tmp_path):
    """Have no figure ship with the program."""
    monkeypatch.setattr(shelf, "DIRECTORY", tmp_path / "atlas")


def keep(root, jobs, law):
    """Store these sweeps, whole."""
    store = open_store(root)
    for table in filled(jobs, law):
        store.put_sweep(table.digest, table.to_bytes())
    store.close()


# ── what is there ────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_opens_from_its_link(root, name):
    app = opened(PAGE, fig=name)
    assert not app.exception and not app.error
    assert find(name).title in words(app) and find(name).caption in words(app)
    assert "Agreement" in words(app)


def test_what_ships_is_whole_before_any_click(root):
    app = opened(PAGE)
    assert not app.exception and charts(app) == 1
    assert app.button(key="compute_figure").disabled and "✓ yes" in words(app)


def test_what_ships_is_the_quick_size_of_the_first_setting_and_small():
    figures = shelf.shipments()["lazy-training/figures"]
    quick = {
        job.digest for name in NAMES for s in find(name).settings[:1] for job in s.sizes[QUICK].jobs
    }
    assert {job.digest for job in figures.declared()} == quick
    assert sum(figures.path(job).stat().st_size for job in figures.declared()) < 1_000_000


def test_a_stored_figure_is_judged(root, nothing_shipped):
    keep(root, find("1c").size("code", QUICK).jobs, lambda c: 1e-3)
    app = opened(PAGE, fig="1c")
    assert app.button(key="compute_figure").disabled
    assert "✗ no" in words(app), "a flat line is not the paper's"
    assert "within 1 % | ✓ yes" in words(app)


def test_what_is_missing_is_said_and_the_reported_lines_are_there(root, nothing_shipped):
    app = opened(PAGE, fig="1c")
    assert charts(app) == 1 and "0 of 21 runs are computed" in words(app)
    assert "Grey is *reported*, not computed" in words(app) and "not computed yet" in words(app)


def test_neurons_are_drawn_for_each_run(root, nothing_shipped, make_run):
    store = open_store(root)
    for config in find("1ab").size("text", QUICK).jobs:
        store.put(config.digest, make_run(1.0, config=config).to_bytes())
    store.close()
    app = opened(PAGE, fig="1ab")
    assert not app.exception and charts(app) == 2
    assert "relative displacement of \\|a\\|b" in words(app)


# ── links ────────────────────────────────────────────────────────────────────────────────
def test_a_link_sets_the_figure_its_setting_and_its_size(root):
    app = opened(PAGE, fig="1c", fig_setting="text", fig_size="full", fig_axes="linear")
    assert "gradient flow, stopped at the same time" in words(app) and "330 runs" in words(app)
    assert not app.error


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"fig": "9z"}, "there is no figure '9z': give 1ab, 1c"),
        ({"fig": "1c", "fig_setting": "mine"}, "no setting of figure 1c 'mine'"),
        ({"fig": "2a", "fig_size": "huge"}, "no size of figure 2a 'huge'"),
    ],
)
def test_a_wrong_link_is_answered_in_a_sentence_until_something_is_chosen(root, link, sentence):
    app = opened(PAGE, **link)
    assert not app.exception and sentence in app.error[0].value
    app.selectbox(key="fig").select("4").run()
    assert not app.exception and not app.error


def test_another_figure_forgets_a_setting_that_it_does_not_have(root):
    app = opened(PAGE, fig="3a")
    assert "Handwritten digits" in words(app)
    app.selectbox(key="fig").select("2b").run()
    assert not app.exception and "The authors' code" in words(app)


def test_explore_takes_no_parameter_of_a_figure_for_a_field(root):
    app = opened("explore", fig="1c", fig_setting="code", fig_size="full", fig_axes="log")
    assert not app.error and not app.exception


def test_the_links_of_a_figure_open_its_sweep():
    from pages.figures.view import _link

    sweep = figure_1c.descent(figure_1c.TAUS, range(10))[1]
    address = _link(sweep)
    assert "init_scale=0.1:10:21" in address and "step_size_init_scale2=0.1," in address
    assert "Open in Sweep: 21 init_scale × 10 seed<" in address


# ── asking ───────────────────────────────────────────────────────────────────────────────
def test_compute_queues_every_part_and_cancel_stops_them(root, nothing_shipped, queue):
    app = opened(PAGE, fig="1c")
    app.button(key="compute_figure").click().run()
    jobs = find("1c").size("code", QUICK).jobs
    assert {job.digest for job in queue.list()} == {job.digest for job in jobs}
    assert (
        app.button(key="compute_figure").disabled
        and "Waiting for a worker" in words(app)
        or (app.get("progress"))
    )
    app.button(key="cancel_compute_figure").click().run()
    assert {job.state for job in queue.list()} == {"cancelled"}
    assert not app.button(key="compute_figure").disabled


def test_a_part_that_is_there_is_not_queued_again(root, nothing_shipped, queue):
    jobs = find("1c").size("code", QUICK).jobs
    keep(root, jobs[:1], lambda c: 1e-3)
    app = opened(PAGE, fig="1c")
    app.button(key="compute_figure").click().run()
    assert [job.digest for job in queue.list()] == [jobs[1].digest]


def test_runs_of_a_figure_are_ordinary_runs(root, nothing_shipped, queue):
    app = opened(PAGE, fig="6")
    app.button(key="compute_figure").click().run()
    assert {job.kind for job in queue.list()} == {"run"} and len(queue.list()) == 3


# ── taking away ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("name", "claims"), [("2a", 5), ("4", 3), ("7b", 2)])
def test_the_code_of_a_figure_runs_as_it_stands(name, claims, capsys, monkeypatch):
    import lazycore

    one = find(name)
    setting = one.settings[0] if one.settings else None
    text = code(Choice(one, setting, QUICK if setting else "", True))
    assert ("# python -m lazycore" in text) is bool(setting)
    monkeypatch.setattr(lazycore, "sweep", lambda job: filled([job], lambda c: 1e-3)[0])
    monkeypatch.setattr(lazycore, "run", lambda job: shelf.find(job.digest))
    shown = []
    monkeypatch.setattr("plotly.graph_objects.Figure.show", lambda figure: shown.append(figure))
    exec(text, {})  # noqa: S102
    assert len(shown) == 1
    assert capsys.readouterr().out.count("\n") == claims, "one line for each claim"


def test_full_sizes_are_ordinary_jobs_too():
    full = tables.configs(find("1c").size("code", FULL).jobs)
    assert len(full) == 330
    config = next(iter(full.values()))
    assert made_up(config, 1.0).digest == config.digest


def test_a_shipped_run_is_what_the_engine_computes():
    import numpy as np

    from lazycore.running.run import run

    (job,) = find("7b").size("digits", QUICK).jobs
    shipped_run, fresh = shelf.find(job.digest), run(job, device="cpu")
    assert shipped_run is not None
    np.testing.assert_allclose(
        shipped_run.latest["spectrum"], fresh.latest["spectrum"], rtol=1e-4, atol=1e-6
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["1c", "2a", "2b"])
def test_a_cell_of_each_shipped_sweep_is_what_the_engine_computes(name):
    from lazycore.results.quantities import measure
    from lazycore.running.run import run

    for job in find(name).settings[0].sizes[QUICK].jobs:
        table = shelf.find_sweep(job.digest)
        assert table is not None and table.done == table.total
        cell = job.cells[0]
        fresh = measure(run(cell.config, device="cpu"))
        row = table.frame.set_index("digest").loc[cell.digest]
        for quantity in ("final_test_loss", "linearized_best_test_loss"):
            assert row[quantity] == pytest.approx(fresh[quantity], rel=1e-4), quantity
