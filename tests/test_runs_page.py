"""The Runs page without a browser: names, verdicts, search, order, and runs of own modules."""

from dataclasses import replace

import pytest
from test_pages import TINY, charts, html, keep, opened, queue, root, words

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.errors import ConfigError
from lazycore.results.store import open_store
from lazycore.results.sweep import SweepResult
from lazycore.results.verdict import WORDS
from lazycore.service.queue import Job
from pages.runs import history
from pages.widgets import known

__all__ = ["queue", "root"]
PAGE = "runs"


def own_of(make_run, alpha: float = 100.0):
    return replace(make_run(alpha), config=None)


@pytest.fixture
def three(root, queue, make_run):
    """Three finished runs of different verdicts, the digests by α."""
    found = {}
    for alpha in ("0.1", "1", "100"):
        link = TINY | {"alpha": alpha}
        found[alpha] = queue.submit(RunConfig.from_text(link))
        keep(root, make_run, link)
    return found


def shown(app) -> list[str]:
    """Return the digests of the history's rows, in their order."""
    boxes = [box.key for box in app.checkbox if str(box.key).startswith("pick_")]
    return [key.removeprefix("pick_") for key in boxes]


# ── history ──────────────────────────────────────────────────────────────────────────────
def test_a_run_has_its_name_and_its_verdict(three):
    app = opened(PAGE)
    assert not app.exception
    assert ":green[**lazy**]" in words(app) and "α = 100" in html(app)
    assert "3 in all" in words(app)


def test_the_search_finds_words_of_names_verdicts_and_digests(three):
    app = opened(PAGE)
    app.text_input(key="history_search").set_value("lazy 100").run()
    assert shown(app) == [three["100"]] and "1 of 3 runs" in words(app)
    app.text_input(key="history_search").set_value(three["1"][:8]).run()
    assert shown(app) == [three["1"]]
    app.text_input(key="history_search").set_value(three["1"][4:7]).run()
    assert shown(app) == []  # in the middle of a digest
    app.text_input(key="history_search").set_value("no such run").run()
    assert shown(app) == [] and not app.exception


def test_the_order_is_by_name_or_verdict_or_time(three):
    app = opened(PAGE)
    app.selectbox(key="history_sort").set_value("verdict").run()
    by_verdict = {"lazy": "100", "crossover": "1", "rich": "0.1"}
    assert shown(app) == [three[alpha] for alpha in by_verdict.values()]
    app.selectbox(key="history_sort").set_value("name").run()
    assert shown(app) == [three[alpha] for alpha in ("1", "0.1", "100")]  # α = 1 is the default


def test_names_are_in_order_by_the_size_of_their_numbers():
    job = Job("0" * 16, "failed", {})
    names = ["α = 10 · width 9", "α = 2 · width 64", "α = 2 · width 8", "1e-05", "abc"]
    rows = [history.Row(job, name, "", "") for name in names]
    ordered = [row.name for row in sorted(rows, key=history.SORTS["name"])]
    assert ordered.index("α = 2 · width 8") < ordered.index("α = 2 · width 64")
    assert ordered.index("α = 2 · width 64") < ordered.index("α = 10 · width 9")


def test_a_tick_stays_while_something_else_is_searched(three):
    app = opened(PAGE)
    for alpha in ("1", "100"):
        app.text_input(key="history_search").set_value(three[alpha]).run()
        app.checkbox(key=f"pick_{three[alpha]}").check().run()
    assert f"/compare?runs={three['1']},{three['100']}" in html(app)
    app.checkbox(key=f"pick_{three['100']}").uncheck().run()
    assert "/compare?runs=" not in html(app)
    app.text_input(key="history_search").set_value("").run()
    assert [app.checkbox(key=f"pick_{three[a]}").value for a in ("1", "100")] == [True, False]


def test_many_runs_are_a_page_at_a_time(root, queue):
    for seed in range(30):
        queue.cancel(queue.submit(RunConfig.from_text(TINY | {"seed": str(seed)})))
    app = opened(PAGE)
    retries = [b.key for b in app.button if str(b.key).startswith("retry_")]
    assert len(retries) == history.PAGE_ROWS and "30 in all" in words(app)
    app.number_input(key="history_page").set_value(2).run()
    assert len([b for b in app.button if str(b.key).startswith("retry_")]) == 5
    app.text_input(key="history_search").set_value("seed 3").run()
    assert not app.exception and app.number_input(key="history_page").value == 1


def test_what_a_worker_noted_is_not_read_again(monkeypatch):
    monkeypatch.setattr(known, "_read", lambda job: pytest.fail("it is noted"))
    jobs = [Job(f"{n:016x}", "done", {}, verdict=word) for n, word in enumerate(WORDS)]
    assert list(known.verdicts(jobs).values()) == list(WORDS)


def test_verdicts_are_read_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr(known, "_read", lambda job: "lazy")
    jobs = [Job(f"{n:016x}", "done", {}) for n in range(100, 100 + known.MOST_READ + 5)]
    known.st.session_state.pop("verdicts read", None)
    assert list(known.verdicts(jobs).values()).count("lazy") == known.MOST_READ


@pytest.mark.parametrize("axes", [None, 3, {"alpha": 3}, {"alpha": list(range(5000))}])
def test_a_sweep_that_is_large_or_no_sweep_is_not_read_for_a_list(axes):
    assert not known.is_small(Job("0" * 16, "done", {"axes": axes}))


def test_a_sweep_of_thousands_says_how_many_of_its_runs_have_which_verdict(root, queue):
    sweep = SweepConfig.from_text(TINY | {"alpha": "1:10:40", "seed": "0:30"})
    table = SweepResult(sweep)
    table._status[:], table._verdict[:900], table._verdict[900:] = 1, 1, 3
    queue.submit(sweep)
    store = open_store(root)
    store.put_sweep(sweep.digest, table.to_bytes())
    store.close()
    app = opened(PAGE)
    assert not app.exception and "900 lazy, 300 rich" in words(app)


# ── own modules ──────────────────────────────────────────────────────────────────────────
def test_the_run_of_an_own_module_is_kept_opened_by_its_link_and_compared(root, make_run):
    own = own_of(make_run)
    app = opened(PAGE)
    app.file_uploader(key="file").upload("module.npz", own.to_bytes()).run()
    app.button(key="keep").click().run()
    assert not app.exception and f"/compare?runs={own.digest}" in html(app)
    assert f"/runs?run={own.digest}" in html(app) and "Own modules" in words(app)
    app = opened(PAGE, run=own.digest)
    assert f"own module {own.digest[:8]}: :green[**lazy**]" in words(app) and charts(app) == 7
    app = opened("compare", runs=own.digest)
    assert f"own module {own.digest[:8]}" in words(app) and charts(app) == 4
    (label,) = [o for o in app.multiselect(key="picked").options if o.startswith("own module")]
    assert label.endswith("lazy")


def test_a_kept_run_can_be_deleted(root, make_run):
    own = own_of(make_run)
    store = open_store(root)
    store.put_own(own)
    app = opened(PAGE)
    app.button(key=f"delete_{own.digest}").click().run()
    assert own.digest not in store and store.digests("own:") == []
    store.close()
    assert "Own modules" not in words(app)


def test_a_run_with_a_config_is_never_kept_from_a_file(root, make_run):
    store = open_store(root)
    with pytest.raises(ConfigError, match="has a config: run it"):
        store.put_own(make_run())
    own = own_of(make_run)
    store.put_own(own)
    other = replace(own, latest=own.latest | {"numerical_error": 1.0})
    store.put_own(other)  # of the same content: the first one stays
    assert store.get(own.digest).numerical_error == own.numerical_error
    store.close()


@pytest.mark.parametrize(
    ("run", "sentence"), [("0" * 16, "is stored; open its file again"), ("../x", "names no run")]
)
def test_a_link_to_no_run_is_one_sentence(root, run, sentence):
    app = opened(PAGE, run=run)
    assert not app.exception
    assert [sentence in error.value for error in app.error] == [True]
