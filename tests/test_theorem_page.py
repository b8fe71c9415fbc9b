"""The Theorems page without a browser: its links, what it shows, asks for and refuses."""

import pytest
from test_pages import charts, opened, queue, root, words

from lazycore import run
from lazycore.config.run import RunConfig
from lazycore.papers import shelf
from lazycore.papers.lazy_training.theorems import _shipped
from lazycore.papers.theorem import theorems
from lazycore.results.store import open_store
from pages.theorems import runs, view
from pages.widgets import jobs

__all__ = ["queue", "root"]
PAGE = "theorems"


def keep(folder, config):
    store = open_store(folder)
    store.put(config.digest, run(config).to_bytes())
    store.close()


@pytest.mark.parametrize("name", list(theorems()))
def test_every_statement_is_finished_before_any_click(root, queue, name):
    app = opened(PAGE, t_theorem=name)
    assert not app.exception and not app.error and not app.info
    assert charts(app) >= 2 and queue.list() == []
    said = words(app)
    assert theorems()[name].title in said and "on this problem" in said
    assert ":green[**✓**]" in said


def test_the_page_opens_with_a_bound_that_holds(root):
    app = opened(PAGE)
    said = words(app)
    assert "Theorem 2.4" in said and ":red[**✗**]" not in said
    assert "rate of decay (the theorem: at least 0.25)" in said


def test_a_failing_hypothesis_is_said(root):
    app = opened(PAGE, t_theorem="Theorem 2.2", t_problem="ReLU network: not smooth")
    assert not app.exception and ":red[**✗**]" in words(app)
    assert "The theorem says nothing here: relu has kinks" in words(app)


def test_a_preset_of_explore_shows_the_figure_eight_in_its_plane(root):
    keep(root, RunConfig(task="plane_target", alpha=3.0, time=12.0))
    app = opened("explore", task="plane_target", alpha="3", time="12")
    assert not app.exception and not app.error
    assert app.selectbox(key="model").placeholder == "figure_eight (default)"
    assert "code_run_outputs_plane" in str(app.main) or charts(app) >= 5
    assert "Theorem 2.5" in words(app)


def test_turning_a_constant_of_a_problem_asks_for_its_run(root, queue):
    app = opened(PAGE)
    app.text_input(key="t_alpha").set_value("77").run()
    assert [job.config["alpha"] for job in queue.list()] == [77.0]
    assert not app.exception
    app.select_slider(key="t_alpha_slider").set_value(1000.0).run()
    assert app.text_input(key="t_alpha").value == "1000"
    assert len(queue.list()) == 1  # that one ships


def test_a_run_of_ones_own_waits_for_its_button(root, queue):
    fields = "task=sine activation=tanh width=8 n_test=0 time=1 alpha=10"
    link = {"t_theorem": "Theorem 2.2", "t_problem": "my run", "t_run": fields}
    app = opened(PAGE, **link)
    assert not app.exception and queue.list() == [] and "Not computed yet" in words(app)
    app.button(key="run").click().run()
    assert [job.state for job in queue.list()] == ["queued"]
    config = RunConfig(task="sine", activation="tanh", width=8, n_test=0, time=1.0, alpha=10.0)
    keep(root, config)
    app = opened(PAGE, **link)
    assert "on this problem" in words(app) and charts(app) == 3
    app.button(key="compute_siblings").click().run()
    assert len({job.config["alpha"] for job in queue.list()}) == 5


def test_the_sweep_of_kappa_is_asked_for_where_it_is_not_there(root, queue, monkeypatch):
    for module in (jobs, runs, view):
        monkeypatch.setattr(module, "finished_table", lambda digest: None, raising=False)
    app = opened(PAGE, t_theorem="κ criterion")
    assert "0 of 112 networks are there" in words(app)
    app.button(key="compute_sweep").click().run()
    assert [job.kind for job in queue.list()] == ["sweep"] and not app.exception


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"t_theorem": "Theorem 9"}, "t_theorem=Theorem 9 is not allowed"),
        ({"t_theorem": "Theorem 2.5", "t_problem": "no such"}, "t_problem=no such is not one of"),
        ({"t_alpha": "abc"}, "alpha=abc is not allowed"),
        ({"t_problem": "my run", "t_run": "widht=3"}, "Did you mean 'width'?"),
        ({"t_problem": "my run", "t_run": "width"}, "write name=value"),
        ({"t_problem": "my run", "t_run": "task=vector model=two_layer"}, "has no inputs x"),
        ({"t_problem": "my run", "t_run": "n_train=100000 width=100000"}, "the limit is"),
    ],
)
def test_a_bad_link_is_one_sentence_under_the_statement(root, link, sentence):
    app = opened(PAGE, **link)
    if not app.error:
        app.button(key="run").click().run()
    assert not app.exception
    assert [sentence in error.value for error in app.error] == [True]
    assert app.title and app.markdown


def test_what_ships_is_what_the_engine_computes_and_small():
    folder = shelf.DIRECTORY / "theorems"
    assert sum(path.stat().st_size for path in folder.rglob("*.npz")) < 2_500_000
    for theorem in theorems().values():
        for config in _shipped.configs(theorem):
            assert shelf.find(config.digest) is not None, (theorem.name, config.digest)
    config = next(iter(theorems()["Theorem 2.5"].examples.values()))
    shipped, fresh = shelf.find(config.digest), run(config)
    assert shipped is not None
    for name in ("nonlinear.train_loss", "nonlinear.displacement"):
        assert shipped.series[name] == pytest.approx(fresh.series[name], rel=1e-5, abs=1e-7)
