"""The pages without a browser: what they show, what they ask for, what they refuse."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from lazycore import tasks
from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.engine.measures.recording import UNMET
from lazycore.engine.paths.euler import KINK, ROUNDING
from lazycore.papers import shelf
from lazycore.papers.ours.presets import PRESETS
from lazycore.results.store import open_store
from lazycore.service.queue import open_queue
from pages.explore import controls, view
from pages.widgets.summary import DIAGNOSES

ROOT = Path(__file__).resolve().parent.parent
TINY = {"dynamics": "gd", "steps": "20", "width": "8", "dim": "2", "n_train": "6"}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An empty cache that the pages and the test both look into."""
    monkeypatch.setenv("LAZYLAB_CACHE", str(tmp_path))
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()


@pytest.fixture
def queue(root):
    queue = open_queue(root)
    yield queue
    queue.close()


def opened(page: str = "home", **link: str) -> AppTest:
    """Return the page as a link with these parameters opens it."""
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=30)
    if page != "home":
        # `switch_page` knows the pages by their paths only once the app has run.
        app._page_hash = calc_hash(page)
    for name, value in link.items():
        app.query_params[name] = value
    return app.run()


def words(app: AppTest) -> str:
    """Return everything that the page says."""
    kinds = (app.title, app.header, app.subheader, app.markdown, app.caption, app.info, app.warning)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def html(app: AppTest) -> str:
    """Return what the page holds as HTML."""
    return "\n".join(element.proto.body for element in app.get("html"))


def drawn(app: AppTest) -> list[Any]:
    """Return the charts of the page."""
    found = app.get("bidi_component")
    return [one for one in found if one.proto.component_name == "lazylab_chart"]


def charts(app: AppTest) -> int:
    return len(drawn(app))


def keep(root: Path, make_run, link: dict[str, str], **latest):
    """Store a made-up result of the run that this link names, `latest` the last known of it."""
    config = RunConfig.from_text(link)
    result = make_run(float(link.get("alpha", 1)), dim=2, config=config)
    result.latest.update(latest)
    store = open_store(root)
    store.put(config.digest, result.to_bytes())
    store.close()
    return result


# ── home ─────────────────────────────────────────────────────────────────────────────────
def test_home_shows_the_three_regimes_and_the_exponents_before_any_click(root):
    app = opened()
    assert not app.exception and not app.error
    for verdict in ("lazy", "crossover", "rich", "| output gap |"):
        assert verdict in words(app)
    assert charts(app) == 3


def test_home_follows_its_slider_and_its_link(root):
    assert "At α = 1:" in words(opened())
    app = opened(at="300")
    assert "At α = 300: :green[**lazy**]" in words(app)
    app.select_slider(key="at").set_value("0.1").run()
    assert "At α = 0.1:" in words(app)


# ── explore ──────────────────────────────────────────────────────────────────────────────
def test_explore_opens_with_a_finished_run(root):
    app = opened("explore")
    assert not app.exception and charts(app) == 5


def test_explore_says_what_is_missing_and_that_no_worker_is_there(root):
    app = opened("explore", **TINY)
    assert not app.exception
    assert "Not computed yet" in words(app) and "No worker is running" in words(app)


def test_a_link_sets_every_control_that_it_names(root):
    app = opened("explore", alpha="7.5", width="24", loss="logistic", task="circles", depth="1")
    assert app.text_input(key="alpha").value == "7.5"
    assert app.text_input(key="width").value == "24"
    assert app.selectbox(key="loss").value == "logistic"
    assert app.selectbox(key="task").value == "circles"


def test_fields_that_are_not_read_have_no_control(root):
    assert "momentum" not in [w.key for w in opened("explore").text_input]
    assert "momentum" in [w.key for w in opened("explore", dynamics="sgd").text_input]


def test_an_empty_control_shows_the_default_that_holds(root):
    app = opened("explore", task="sine")
    assert app.text_input(key="n_train").placeholder == "20"
    assert app.selectbox(key="bias").placeholder == "normal (default)"


def test_the_slider_moves_the_exact_value_and_follows_it(root):
    app = opened("explore", alpha="40")
    assert app.select_slider(key="alpha_slider").value == 40.0
    app.select_slider(key="alpha_slider").set_value(300.0).run()
    assert app.text_input(key="alpha").value == "300"


def test_the_slider_agrees_with_the_box_and_with_the_default_of_the_task(root):
    app = opened("explore", width="20")
    slider = app.select_slider(key="width_slider")
    assert slider.value == 20 and slider.options[:3] == ["10", "20", "30"]
    app.text_input(key="width").set_value("400").run()
    assert app.select_slider(key="width_slider").value == 400
    # Moving it does not change its stops: it would lose the keyboard.
    stops = app.select_slider(key="width_slider").options
    app.select_slider(key="width_slider").set_value(100).run()
    assert app.text_input(key="width").value == "100"
    assert app.select_slider(key="width_slider").options == stops
    for task in spec.collect("task"):
        app = opened("explore", task=task)
        for name in controls.SLIDERS:
            if f"{name}_slider" in [one.key for one in app.select_slider]:
                value = app.select_slider(key=f"{name}_slider").value
                assert app.text_input(key=name).placeholder == f"{value:g}", (task, name)


def test_a_slider_follows_a_preset_back_to_the_default(root):
    fields = {p.name: p.fields for p in PRESETS}
    app = opened("explore", **fields["Rich"])
    app.pills(key="preset").set_value("One curve").run()
    assert [app.text_input(key=name).value for name in ("width", "init_scale")] == ["", ""]
    assert [app.select_slider(key=f"{n}_slider").value for n in ("width", "init_scale")] == [100, 1]


def test_every_control_of_a_run_is_called_in_words_and_has_a_sentence(root):
    app = opened("explore", dynamics="sgd")
    named = [*app.text_input, *app.selectbox, *app.select_slider]
    for control in named:
        assert "_" not in control.label and control.label[0] in "α" + control.label[0].upper()
        assert control.help or control.label.endswith(", exact"), control.label
    said = words(app)
    assert "Recover three ReLU neurons from points on the unit sphere." in said


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"alpha": "abc"}, "alpha=abc is not allowed"),
        ({"alpha": "nan"}, "alpha=nan is not allowed"),
        ({"width": "-3"}, "width=-3 is not allowed"),
        ({"widht": "3"}, "Did you mean 'width'?"),
        ({"task": "imagenet"}, "task=imagenet is not allowed"),
        ({"momentum": "0.5"}, "momentum=0.5 is not read by"),
        ({"zero_output": "symmetrized", "width": "7"}, "width=7 is odd"),
    ],
)
def test_a_bad_link_is_one_sentence_on_a_page_that_works(root, link, sentence):
    app = opened("explore", **link)
    assert not app.exception
    assert [sentence in error.value for error in app.error] == [True]
    app.pills(key="preset").set_value("Lazy").run()
    assert not app.exception and not app.error


@pytest.mark.parametrize("page", ["explore", "sweep", "data", "compare"])
def test_words_of_a_link_are_never_a_link_or_a_picture(root, page):
    evil = "[Session over, log in](http://a.b)"
    of_page = {"data": {"d_file": evil}, "compare": {"runs": evil}}
    app = opened(page, **of_page.get(page, {evil: "1"}))
    assert not app.exception and len(app.error) >= 1
    for error in app.error:
        assert "\\[Session over" in error.value and "](" not in error.value.replace("\\](", "")
        assert "://" not in error.value and len(error.value) < 400


@pytest.mark.parametrize("link", [{"steps": "1e12", "dynamics": "gd"}, {"n_train": "1e9"}])
def test_a_run_that_is_too_large_is_refused_in_a_sentence(root, link):
    app = opened("explore", **link)
    if not app.error:
        app.button(key="run").click().run()
    assert not app.exception
    assert len(app.error) == 1


def test_what_was_there_stays_faded_until_the_new_run_has_begun(root, make_run):
    app = opened("explore")
    assert "Faded" not in html(app) and charts(app) == 5
    app.text_input(key="alpha").set_value("0.7").run()
    assert not app.exception and "Not computed yet" in words(app)
    assert "Faded below, until this one has begun: the default run." in html(app)
    assert charts(app) == 5 and ":gray[**lazy**]" not in words(app).split("Before:")[0]
    assert "## Before: :gray[" in words(app) and ":green[" not in words(app)
    app.text_input(key="alpha").set_value("abc").run()
    assert len(app.error) == 1 and charts(app) == 5 and "opacity" in html(app)
    keep(root, make_run, {"alpha": "0.7"})
    app.text_input(key="alpha").set_value("0.7").run()
    assert "## This run:" in words(app) and "Faded" not in html(app)


def test_a_run_that_has_only_its_start_does_not_take_the_place_of_what_was_there(make_run):
    whole = make_run()
    start = replace(whole, time=whole.time[:1], status="running")
    assert not view.has_begun(None) and not view.has_begun(start)
    assert view.has_begun(whole) and view.has_begun(replace(whole, status="running"))


def test_a_preset_puts_the_figure_that_it_speaks_of_first(root):
    for preset in PRESETS[:4]:
        app = opened("explore", **preset.fields)
        assert not app.exception and "## This run:" in words(app), preset.name
        first = drawn(app)[0]
        assert f"chart_run_{preset.first}" in str(first.proto.id), preset.name
        assert app.button(key="run").disabled, "it ships"


def test_run_queues_and_cancel_takes_it_back(root, queue):
    digest = RunConfig.from_text(TINY).digest
    app = opened("explore", **TINY)
    app.button(key="run").click().run()
    assert queue.get(digest).state == "queued"
    assert app.button(key="run").disabled and not app.button(key="cancel_run").disabled
    app.button(key="cancel_run").click().run()
    assert queue.get(digest).state == "cancelled"
    assert "Cancelled" in words(app) and not app.exception


def test_two_pages_that_ask_for_one_run_wait_for_one_job(root, queue):
    for _ in range(2):
        app = opened("explore", **TINY)
        if not app.button(key="run").disabled:
            app.button(key="run").click().run()
    assert len(queue.list()) == 1


def test_a_stored_run_is_shown_with_all_its_figures_and_numbers(root, make_run):
    keep(root, make_run, TINY)
    app = opened("explore", **TINY)
    assert not app.exception and charts(app) == 7
    assert {"Kernel change", "Numerical error"} <= {metric.label for metric in app.metric}
    assert len(app.get("download_button")) == 2 * 7


def test_the_diagnosis_of_a_run_is_said_with_what_it_means(root, make_run):
    keep(root, make_run, TINY, diagnosis="kink")
    said = words(opened("explore", **TINY))
    assert "Diagnosis: **kink**. At kinks of the activation" in said
    assert set(DIAGNOSES) == {ROUNDING, KINK, UNMET}


def test_a_stored_row_that_is_not_a_result_is_a_sentence_and_then_gone(root):
    digest = RunConfig.from_text(TINY).digest
    store = open_store(root)
    store.put(digest, b"not a result")
    store.close()
    app = opened("explore", **TINY)
    assert not app.exception and len(app.error) == 1
    assert "run it again" in app.error[0].value
    assert not app.run().error and "Not computed yet" in words(app)


def test_one_more_task_is_one_more_file_and_is_on_the_page(root, tmp_path, monkeypatch):
    folder = tmp_path / "more"
    folder.mkdir()
    source = (Path(tasks.__file__).parent / "sine.py").read_text()
    (folder / "cosine.py").write_text(
        source.replace('name="sine"', 'name="cosine"').replace("np.sin(", "np.cos(")
    )
    monkeypatch.setattr(tasks, "__path__", [*tasks.__path__, str(folder)])
    caches = (spec.collect, controls._known)
    for cached in caches:
        cached.cache_clear()
    try:
        app = opened("explore", task="cosine")
        assert app.selectbox(key="task").value == "cosine" and not app.error
        assert app.text_input(key="n_train").placeholder == "20"
    finally:
        for cached in caches:
            cached.cache_clear()
        sys.modules.pop("lazycore.tasks.cosine", None)


def test_three_stored_runs_that_differ_in_alpha_have_an_exponent(root, queue, make_run):
    for number, alpha in enumerate(("10", "30", "100")):
        app = opened("explore", **TINY, alpha=alpha)
        assert "| output gap |" not in words(app), number
        app.button(key="run").click().run()
        keep(root, make_run, TINY | {"alpha": alpha})
    app = opened("explore", **TINY, alpha="10")
    assert "| output gap | −1.0" in words(app)


def test_with_the_toggle_every_change_is_run_once(root, queue):
    app = opened("explore", **TINY, auto="true")
    app.select_slider(key="alpha_slider").set_value(30.0).run()
    app.run()
    assert [job.config["alpha"] for job in queue.list()] == [30.0, 1.0]


def test_a_preset_sets_the_controls_and_asks_for_the_run(root, queue, monkeypatch):
    monkeypatch.setattr(shelf, "find", lambda digest: None)  # else it is there at once
    app = opened("explore", alpha="3", seed="5")
    app.pills(key="preset").set_value("Too large a step").run()
    assert app.text_input(key="step_size").value == "40"
    assert app.text_input(key="seed").value == ""
    assert [job.config["step_size"] for job in queue.list()] == [40.0]
    assert any("diverges" in caption.value for caption in app.caption)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_is_a_run_with_two_sentences(preset):
    RunConfig.from_text(preset.fields)
    assert preset.story.count(". ") + preset.story.endswith(".") == 2


# ── runs ─────────────────────────────────────────────────────────────────────────────────
def test_runs_lists_what_waits_and_can_cancel_and_delete_it(root, queue):
    first, second = (queue.submit(RunConfig.from_text(TINY | {"seed": s})) for s in ("1", "2"))
    app = opened("runs")
    assert "is next" in words(app) and "waits for 1" in words(app)
    app.button(key=f"cancel_{first}").click().run()
    assert queue.get(first).state == "cancelled"
    app.button(key=f"retry_{first}").click().run()
    assert queue.get(first).state == "queued"
    app.button(key=f"cancel_{second}").click().run()
    app.button(key=f"delete_{second}").click().run()
    assert queue.get(second) is None and not app.exception


def test_a_saved_record_is_shown_and_anything_else_refused(root, make_run):
    app = opened("runs")
    app.file_uploader(key="file").upload("run.npz", make_run().to_bytes())
    app.run()
    assert charts(app) == 7 and not app.error
    of_a_module = replace(make_run(), config=None)
    app.file_uploader(key="file").upload("module.npz", of_a_module.to_bytes()).run()
    assert charts(app) == 7 and not app.error and not app.exception
    app = opened("runs")
    app.file_uploader(key="file").upload("run.npz", b"PK\x03\x04 no").run()
    assert not app.exception
    assert ["not a whole Lazy Lab result" in error.value for error in app.error] == [True]


# ── the whole ────────────────────────────────────────────────────────────────────────────
def test_the_web_process_never_imports_torch(tmp_path):
    code = (
        "import sys; sys.path.insert(0, '.'); import app\n"
        "from streamlit.testing.v1 import AppTest\n"
        "at = AppTest.from_file('pages/main.py', default_timeout=30).run()\n"
        "for page in ('explore/page.py', 'runs/page.py'): at.switch_page(page).run()\n"
        "assert not at.exception\n"
        "print([m for m in ('torch', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"LAZYLAB_CACHE": str(tmp_path)},
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_pages_are_short():
    for page in (ROOT / "pages").glob("*.py"):
        assert len(page.read_text().splitlines()) < 80, page.name
