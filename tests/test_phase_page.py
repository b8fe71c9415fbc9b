"""The Feature-or-lazy page without a browser: its links, what it shows, what it asks for."""

import subprocess
import sys

import numpy as np
import pytest
from made_up_phases import digest_at, made_up_phases
from test_pages import ROOT, charts, opened, queue, root, words
from test_sweep_page import keep

from lazycore.config.sweep import SweepConfig
from lazycore.papers import shelf
from lazycore.papers.feature_lazy.phases import crossover as at
from lazycore.papers.feature_lazy.phases import cube_of, settings
from pages.phases import controls, view

__all__ = ["queue", "root"]
PAGE = "phases"
PHASES = shelf.shipments()["feature-lazy/phases"]
LINK = {
    "p_depth": "3",
    "p_activation": "tanh",
    "p_widths": "25,100,400",
    "p_scales": "1e-4:1e6:11",
    "p_seeds": "0:4",
    "p_more": "n_train=20 n_test=40",
}


def config_of(link: dict[str, str]) -> SweepConfig:
    """Return the sweep that this link names."""
    fields = settings.SETTING | {"depth": link["p_depth"], "activation": link["p_activation"]}
    fields |= {"width": link["p_widths"], "alpha_sqrt_width": link["p_scales"]}
    fields |= {"init_seed": link["p_seeds"], "n_train": "20", "n_test": "40"}
    return SweepConfig.from_text(settings.consistent(fields))


def made_up(link: dict[str, str] = LINK, **wrong: str):
    return made_up_phases(dict(config_of(link).to_text()), **wrong)


# ── what is there ────────────────────────────────────────────────────────────────────────
def test_the_page_opens_finished(root):
    app = opened(PAGE)
    assert not app.exception and not app.error and charts(app) == 8
    assert app.button(key="phase_sweep").disabled
    assert "not computed yet" not in words(app).split("Which side is better?")[0]


def test_what_ships_is_whole_and_below_two_megabytes():
    total = 0
    for config in settings.shipped():
        table = shelf.find_sweep(config.digest)
        assert table is not None and table.done == table.total
        assert table.test_outputs is not None
        total += PHASES.path(config).stat().st_size
    assert total < 2_000_000


def test_a_number_too_large_for_single_precision_ships_as_it_is():
    table = made_up()
    table.values[0, :3] = 1.0 / 3.0, 1e300, float("nan")
    found = shelf.slim_table(table).values[0, :3]
    assert found[0] == float(np.float32(1.0 / 3.0)) and found[1] == 1e300 and np.isnan(found[2])


def test_what_ships_is_what_the_engine_computes():
    from lazycore.running.run import run

    table = shelf.find_sweep(settings.default().digest)
    width = min(table.config.axes["width"])
    for scale in (1.0, 1e4):
        digest = digest_at(table, width=width, alpha_sqrt_width=scale, init_seed=1)
        row = [cell.digest for cell in table.config.cells].index(digest)
        fresh = run(table.config.cells[row].config, device="cpu")
        shown = table.frame.iloc[row]
        # The tolerance of these runs lets two machines differ by a percent or so.
        assert shown.kernel_change == pytest.approx(fresh.sparse["kernel_change"][-1], rel=0.1)
        outputs = fresh.latest["nonlinear.test_outputs"].ravel()
        apart = abs(table.test_outputs[row] - outputs[: table.test_outputs.shape[1]]).mean()
        assert apart < 0.05 * abs(outputs).mean()


# ── links ────────────────────────────────────────────────────────────────────────────────
def test_a_deep_link_sets_every_control_and_shows_its_sweep(root):
    keep(root, made_up())
    app = opened(PAGE, **LINK, p_axis="α", p_feature="0.001", p_lazy="1e+05")
    assert not app.exception and not app.error and charts(app) == 8
    assert app.selectbox(key="p_depth").value == "3"
    assert app.selectbox(key="p_activation").value == "tanh"
    assert app.text_input(key="p_widths").value == "25,100,400"
    assert app.selectbox(key="p_feature").value == "0.001"
    assert app.button(key="phase_sweep").label == "Sweep 132 runs"
    assert "132 of 132 runs reached their end." in words(app)


def of_another(**asked: str) -> SweepConfig:
    """Return the setting with these fields, on a small grid."""
    grid = {"width": "4,8", "alpha_sqrt_width": "1,10", "init_seed": "0:3"}
    return SweepConfig.from_text(settings.consistent(settings.SETTING | grid, asked))


OTHERS = {
    "default": settings.default(),
    "other": config_of(LINK),
    "two_layer": of_another(model="two_layer"),
    "parity": of_another(task="parity", dim="6"),
    "convolutional": of_another(model="strided_cnn", task="fashion_mnist"),
    "the rule of the paper": of_another(dynamics="adaptive_euler", gradient_tolerance="1e-3"),
    "descent": of_another(dynamics="gd", steps="100", loss="logistic", activation="tanh"),
}


@pytest.mark.parametrize("config", OTHERS.values(), ids=OTHERS)
def test_the_link_of_a_sweep_names_exactly_this_sweep(root, config):
    link = controls.parameters(config)
    app = opened(PAGE, **link)
    assert not app.exception and not app.error
    assert app.button(key="phase_sweep").label == f"Sweep {len(config.cells)} runs"
    code = "".join(element.value for element in app.code)
    from pages.widgets import sweeplink

    assert sweeplink.command(config) in code


@pytest.mark.parametrize("long", settings.longs(), ids=lambda long: long.name)
def test_a_long_sweep_is_estimated_linked_and_not_run(root, queue, long):
    assert long.seconds > 3600 and long.config.base.resolve().n_train == 10_000
    app = opened(PAGE)
    html = "".join(element.proto.body for element in app.get("html"))
    assert long.name in html and not queue.list()


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ({"p_task": "nonsense"}, "p_task=nonsense is not allowed: give"),
        ({"p_model": "mlp"}, "p_model=mlp is not allowed: give fully_connected, two_layer"),
        ({"p_model": "two_layer", "p_more": "depth=3"}, "depth=3 is not read by"),
        ({"p_model": "strided_cnn"}, "task=digits has images of 8 × 8"),
        ({"p_depth": "77"}, "p_depth=77 is not allowed: give 1, 2, 3, 5"),
        ({"p_widths": "0:"}, "width has an empty value"),
        ({"p_scales": "-1:1:3"}, "alpha_sqrt_width"),
        ({"p_more": "nonsense"}, "nonsense is no field: write name=value"),
        ({"p_more": "wdith=3"}, "there is no field 'wdith'"),
        ({"p_more": "seed=1,2"}, "is no phase diagram"),
    ],
)
def test_a_wrong_link_is_answered_in_a_sentence(root, link, said):
    app = opened(PAGE, **link)
    assert not app.exception
    assert any(said in error.value for error in app.error), [e.value for e in app.error]


def test_what_is_chosen_here_is_no_field_of_explore(root):
    app = opened("explore", **LINK, p_axis="α")
    assert not app.exception and not app.error


# ── what went wrong is seen ──────────────────────────────────────────────────────────────
def test_failed_cells_are_counted_and_said(root):
    table = made_up()
    digests = {
        "d" + digest_at(table, width=100, alpha_sqrt_width=1e-2, init_seed=0): "failed",
        "d" + digest_at(table, width=400, alpha_sqrt_width=1.0, init_seed=2): "diverged",
    }
    keep(root, made_up(LINK, **digests))
    app = opened(PAGE, **LINK)
    assert "130 of 132 runs reached their end, 1 failed, 1 diverged." in words(app)
    assert "Why: It used more memory than it may." in words(app)


def test_every_power_stands_with_its_interval_beside_the_theorys(root):
    table = made_up()
    digest = "d" + digest_at(table, width=100, alpha_sqrt_width=1e4, init_seed=0)
    keep(root, made_up(LINK, **{digest: "diverged"}))
    said = words(opened(PAGE, **LINK))
    lines = [[c.strip() for c in part.split("|")[1:-1]] for part in said.splitlines()]
    rows = {(line[0], line[1]): line[2:] for line in lines if len(line) == 5}
    assert rows["α\\* in h", "border"][1] == "−0.500"
    for side, runs in (
        ("feature, √hα = 0.01", "N = 4"),
        ("lazy, √hα = 10000", "N = 3, 1 run ended early"),
    ):
        measured, theory, over = rows["Var in h", side]
        assert theory == "−1.000" and measured.startswith(("−0.", "−1.")) and " to " in measured
        assert over == f"h = 25 to 400, {runs}"
    assert rows["t_L/2 / (√hα) in √hα", "lazy"][:2] == ["−1.000 (−1.000 to −1.000)", "−1.000"]
    assert rows["t_L/2 / (√hα) in √hα", "lazy"][2].endswith("N = 4, 1 run ended early")
    assert rows["t_L/2 / (√hα) in √hα", "feature"][2].endswith("0.1, N = 4")


# ── asking ───────────────────────────────────────────────────────────────────────────────
def test_sweep_asks_for_the_chosen_sweep_and_cancel_takes_it_back(root, queue):
    app = opened(PAGE, **LINK)
    assert "0 of 132 runs reached their end, 132 are not there yet." in words(app)
    app.button(key="phase_sweep").click().run()
    assert [job.digest for job in queue.list()] == [config_of(LINK).digest]
    assert app.button(key="phase_sweep").disabled
    app.button(key="cancel_phase_sweep").click().run()
    assert queue.list()[0].state == "cancelled" and not app.exception


def test_bisection_asks_for_a_run_a_width_and_seed_between_the_two_sides(root, queue):
    table = made_up()
    keep(root, table)
    app = opened(PAGE, **LINK)
    app.button(key="phase_bisect").click().run()
    wanted = {sweep.digest for sweep in at.next_sweeps([cube_of(table)])}
    assert {job.digest for job in queue.list()} == wanted and len(wanted) == 3


def test_a_bisection_that_is_there_moves_the_border_and_halves_on(root):
    table = made_up()
    keep(root, table)
    finer = at.next_sweeps([cube_of(table)])
    for sweep in finer:
        keep(root, made_up_phases(dict(sweep.to_text())))
    app = opened(PAGE, **LINK)
    assert not app.exception
    further = at.next_sweeps([cube_of(t) for t in (table, *map(_made_up_of, finer))])
    assert {s.digest for s in further}.isdisjoint({s.digest for s in finer})
    assert app.button(key="phase_bisect").label == "Bisect the border further: 12 runs"


def _made_up_of(sweep):
    return made_up_phases(dict(sweep.to_text()))


def test_the_other_depths_are_asked_for_at_once(root, queue):
    keep(root, made_up())
    app = opened(PAGE, **LINK)
    assert words(app).count("not computed yet") >= 2
    app.button(key="phase_depths").click().run()
    assert {job.config["base"]["depth"] for job in queue.list()} == {1, 2}


def test_a_shipped_depth_stands_for_a_sweep_that_differs_in_its_grid_only():
    found = settings.of_depths(settings.default())
    assert set(found) == {1, 2, 3}
    for depth, sweeps in found.items():
        assert {sweep.base.resolve().depth for sweep in sweeps} == {depth}
    assert found[1][1] in settings.shipped() and found[2][0] == settings.default()
    other = SweepConfig.from_text(settings.default().to_text() | {"n_train": "50"})
    assert [len(sweeps) for sweeps in settings.of_depths(other).values()] == [1, 1, 1]


def test_the_comparison_is_as_found(root, queue):
    """Fashion-MNIST ships; what is not there yet is said, and asked for at once."""
    app = opened(PAGE)
    lines = [part for part in words(app).splitlines() if part.startswith(("| Fashion", "| CIFAR"))]
    assert ["not computed" in line for line in lines] == [False, False, True, True]
    assert all(line.rstrip(" |").endswith("3") for line in lines[:2])
    app.button(key="phase_compare").click().run()
    wanted = {c.config.digest for c in settings.comparisons() if c.data == "CIFAR-10"}
    assert {job.digest for job in queue.list()} == wanted


# ── code ─────────────────────────────────────────────────────────────────────────────────
def test_the_code_of_a_figure_runs_and_starts_with_the_command():
    fields = settings.SETTING | {"n_train": "6", "n_test": "8", "width": "4,8"}
    fields |= {"alpha_sqrt_width": "1,10,100", "init_seed": "0,1"}
    config = SweepConfig.from_text(fields)
    code = view.code(config, "phasemap.figure(cube)")
    assert code.startswith("# python -m lazycore sweep --task digits")
    extra = "from lazycore.figures import phasecurves, phasewidths\n" + "\n".join(
        [
            "phasecurves.kernel_change(cube, in_alpha=True)",
            "phasewidths.border([cube]), phasewidths.variance(cube)",
            "assert phasewidths.ensemble(cube, 0.01, 10000)['data']",
        ]
    )
    python = [sys.executable, "-c", f"{code.replace('.show()', '')}\n{extra}"]
    done = subprocess.run(python, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
