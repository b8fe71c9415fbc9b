"""The Compare page without a browser: its links, its figures, its table, its refusals."""

from urllib.parse import urlencode

import pytest
from test_pages import TINY, charts, html, keep, opened, queue, root, words

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.papers.ours import home
from lazycore.results.store import open_store
from lazycore.results.sweep import SweepResult

__all__ = ["queue", "root"]
PAGE = "compare"


def runs_of(*alphas: float) -> str:
    """Return the digests of the shipped runs at these α, as a link has them."""
    found = [home.nearest(alpha) for alpha in alphas]
    return ",".join(run.digest for run in found if run is not None)


def test_the_three_regimes_are_compared_before_any_click(root):
    app = opened(PAGE)
    assert not app.exception and not app.error and charts(app) == 4
    assert "| quantity | α = 0.1 | α = 1 | α = 100 |" in words(app)
    for verdict in ("**rich**", "**crossover**", "**lazy**"):
        assert verdict in words(app)


def test_a_link_says_which_runs_and_figures_and_how(root):
    app = opened(PAGE, runs=runs_of(0.3, 30), figures="gap", compare_axes="linear")
    assert "| quantity | α = 0.3 | α = 30 |" in words(app) and charts(app) == 1
    assert app.segmented_control(key="compare_axes").value == "linear"


def test_runs_are_picked_by_name(root):
    app = opened(PAGE, runs=runs_of(1))
    picker = app.multiselect(key="picked")
    picker.set_value([*picker.value, runs_of(1000)]).run()
    assert app.text_input(key="runs").value == runs_of(1, 1000)
    assert "| quantity | α = 1 | α = 1000 |" in words(app)


def test_seeds_are_a_group_unless_told_apart(root, make_run):
    links = [TINY | {"seed": str(seed)} for seed in range(3)]
    for link in links:
        keep(root, make_run, link)
    digests = ",".join(RunConfig.from_text(link).digest for link in links)
    app = opened(PAGE, runs=digests)
    assert "median (10 to 90 %) from 3 on | 3 |" in words(app)
    app.toggle(key="by_seed").set_value(False).run()
    assert "| quantity | seed = 0 | seed = 1 | seed = 2 |" in words(app)


def test_the_table_can_be_copied_as_csv_and_latex(root):
    app = opened(PAGE)
    texts = [code.value for code in app.code]
    assert any(text.startswith(r"\begin{tabular}{lrrr}") for text in texts)
    assert any(text.startswith("quantity,meaning,unit,α = 0.1") for text in texts)


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [
        (runs_of(0.1, 0.3, 1, 3, 10, 30, 100), "7 runs or groups are too many"),
        ("0" * 16, f"No result of run {'0' * 16} is stored"),
        ("../../etc/passwd", "names no run"),
        (",".join(f"{n:016x}" for n in range(61)), "61 runs are too many"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(root, runs, sentence):
    app = opened(PAGE, runs=runs)
    assert not app.exception
    assert [sentence in error.value for error in app.error] == [True]


def test_two_ticked_runs_of_the_history_are_compared(root, queue, make_run):
    digests = []
    for seed in ("1", "2"):
        link = TINY | {"seed": seed}
        digests.append(queue.submit(RunConfig.from_text(link)))
        keep(root, make_run, link)
    app = opened("runs")
    for digest in digests:
        app.checkbox(key=f"pick_{digest}").check().run()
    html = "".join(element.proto.body for element in app.get("html"))
    assert "/compare?runs=" in html and all(digest in html for digest in digests)


# ── sweeps ───────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def sweep(root, make_run):
    """A finished sweep of two widths × three seeds, whose runs are stored."""
    config = SweepConfig.from_text(
        {k: v for k, v in TINY.items() if k != "width"} | {"width": "8,16", "seed": "0:3"}
    )
    table = SweepResult(config)
    store = open_store(root)
    for cell in config.cells:
        run = make_run(10.0, config=cell.config)
        store.put(cell.digest, run.to_bytes())
        table.add(cell.digest, run)
    store.put_sweep(config.digest, table.to_bytes())
    store.close()
    return config


def test_the_groups_of_a_sweep_go_to_compare_by_short_names(sweep):
    app = opened("sweep", **sweep.to_text())
    page = html(app)
    assert "The table: 6 runs: 6 lazy;" in words(app) and "without its runs" not in words(app)
    names = [f"{sweep.digest}:width={width}" for width in (8, 16)]
    address = f"/compare?{urlencode({'runs': ','.join(names)}, safe=':,')}"
    assert f'href="{address}"' in page and "Compare these 2 groups" in page
    app = opened(PAGE, runs=",".join(names))
    assert not app.exception and not app.error and charts(app) == 4
    assert "| quantity | width = 8, N = 3 | width = 16, N = 3 |" in words(app)
    assert "| verdict | **3 lazy** | **3 lazy** |" in words(app) and "mean ± sd" in words(app)


def test_a_sweep_and_one_of_its_cells_have_names_too(sweep):
    assert "width = 16, N = 3" in words(opened(PAGE, runs=sweep.digest))
    app = opened(PAGE, runs=f"{sweep.digest}:width=8:seed=1,{sweep.digest}:width=16")
    assert "| quantity | width = 8 | width = 16, N = 3 |" in words(app)


def test_the_chooser_lists_runs_and_groups_by_what_they_are(root, queue, make_run):
    link = TINY | {"alpha": "100"}
    sweep = SweepConfig.from_text(TINY | {"alpha": "1,10", "seed": "0:2"})
    queue.submit(RunConfig.from_text(link))
    queue.submit(sweep)
    keep(root, make_run, link)
    store = open_store(root)
    store.put_sweep(sweep.digest, SweepResult(sweep).to_bytes())
    store.close()
    labels = opened(PAGE).multiselect(key="picked").options
    assert any(label.startswith("α = 100 · lazy · teacher · ") for label in labels)
    assert any(label.startswith("α 10, N = 2 · teacher · sweep ") for label in labels)
    assert any(label.endswith("· shipped") for label in labels)


def test_runs_of_a_sweep_that_are_gone_are_left_out_and_said(sweep, root):
    store = open_store(root)
    store.delete(sweep.cells[0].digest)
    app = opened(PAGE, runs=sweep.digest)
    assert "1 of the sweep's runs are not stored" in words(app)
    assert "width = 8, N = 2" in words(app)
    for cell in sweep.cells:
        store.delete(cell.digest)
    store.close()
    app = opened(PAGE, runs=f"{sweep.digest}:width=8")
    assert ["No run of" in error.value for error in app.error] == [True]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("0" * 16 + ":width", "write name=value"), ("0" * 16 + ":width=3", "is stored; sweep again")],
)
def test_a_name_of_no_cells_is_one_sentence(root, name, sentence):
    app = opened(PAGE, runs=name)
    assert not app.exception
    assert [sentence in error.value for error in app.error] == [True]
