"""The shipped runs are what the engine computes, small, and the story that Home tells."""

import numpy as np
import pytest

from lazycore.config.run import RunConfig
from lazycore.figures import exponent, panels_of
from lazycore.papers import shelf
from lazycore.papers.ours import home, presets

NINE = list(zip(home.ALPHAS, home.configs(), strict=True))


def recomputed(config):
    from lazycore.running.run import run

    return run(config, device="cpu")


def assert_same(shipped, fresh):
    """Compare with single precision, and a gap no closer than the error of its method."""
    assert (shipped.digest, shipped.status, shipped.verdict) == (
        fresh.digest,
        fresh.status,
        fresh.verdict,
    )
    np.testing.assert_allclose(shipped.time, fresh.time, rtol=1e-6)
    names = ("nonlinear.train_loss", "linearized.test_loss", "nonlinear.displacement")
    for name in (name for name in names if name in fresh.series):
        np.testing.assert_allclose(shipped.series[name], fresh.series[name], rtol=2e-3, atol=1e-6)
    np.testing.assert_allclose(
        shipped.series["gap.train_output"],
        fresh.series["gap.train_output"],
        rtol=1e-5,
        atol=2.0 * fresh.numerical_error,
    )


def test_every_run_ships_in_less_than_300_kb():
    files = list(shelf.DIRECTORY.glob("*.npz"))
    configs = [*home.configs(), RunConfig()]
    assert {file.stem for file in files} == {config.digest for config in configs}
    assert sum(file.stat().st_size for file in files) < 300_000
    assert len(home.runs()) == len(home.ALPHAS)


@pytest.mark.parametrize("alpha", home.REGIMES)
def test_shipped_regimes_are_what_the_engine_computes(alpha):
    shipped = home.nearest(alpha)
    assert_same(shipped, recomputed(dict(NINE)[alpha]))


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [a for a in home.ALPHAS if a not in home.REGIMES])
def test_the_other_shipped_runs_are_what_the_engine_computes(alpha):
    assert_same(home.nearest(alpha), recomputed(dict(NINE)[alpha]))


def test_the_shipped_default_run_is_what_the_engine_computes():
    assert_same(home.default_run(), recomputed(RunConfig()))
    assert shelf.find(RunConfig().digest) is home.default_run()


def test_every_preset_ships_in_less_than_500_kb_in_all():
    for config in presets.configs():
        shipped = shelf.find(config.digest)
        assert shipped is not None and shipped.digest == config.digest
    files = list((shelf.DIRECTORY / "presets").glob("*.npz"))
    assert sum(file.stat().st_size for file in files) < 500_000


@pytest.mark.parametrize("name", ["Lazy", "Figure eight", "No zero output"])
def test_shipped_presets_are_what_the_engine_computes(name):
    assert_same_preset(name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["Rich", "One curve", "Circles", "A matrix", "An oscillator", "CNN at α = 10⁷"]
)
def test_the_larger_shipped_presets_are_what_the_engine_computes(name):
    assert_same_preset(name)


def assert_same_preset(name):
    fields = next(preset.fields for preset in presets.PRESETS if preset.name == name)
    config = RunConfig.from_text(fields)
    assert_same(shelf.find(config.digest), recomputed(config))


def test_every_preset_has_the_figure_that_it_puts_first():
    for preset, config in zip(presets.PRESETS, presets.configs(), strict=True):
        shown = [panel.name for panel in panels_of(shelf.find(config.digest))]
        assert preset.first in shown, (preset.name, shown)


def test_the_shipped_stripe_holds_its_kernels_in_less_than_800_kb():
    config = RunConfig.from_dict(presets.STRIPE)
    (file,) = (shelf.DIRECTORY / "kernels").glob("*.npz")
    assert file.stem == config.digest and file.stat().st_size < 800_000
    shipped = shelf.find(config.digest)
    assert shipped is not None and shipped.status == "done"
    end = {m: shipped.series[f"{m}.test_error"] for m in ("nonlinear", "linearized")}
    network, linear = (float(e[np.isfinite(e)][-1]) for e in end.values())
    assert linear > 2.0 * network
    assert shipped.sparse["frozen.test_error"][-1] < network + 0.02
    assert shipped.sparse["frozen.test_error"][0] > 2.0 * network
    assert shipped.latest["frozen.correlation"][-1] > 0.97


@pytest.mark.slow
def test_the_shipped_stripe_is_what_the_engine_computes():
    config = RunConfig.from_dict(presets.STRIPE)
    shipped, fresh = shelf.find(config.digest), recomputed(config)
    assert shipped is not None
    for name in ("nonlinear.test_error", "compression", "linearized.train_loss"):
        np.testing.assert_allclose(shipped.series[name], fresh.series[name], rtol=1e-3, atol=1e-3)
    for name in ("kernel.eigenvalues", "kernel.gram", "frozen.test_error"):
        np.testing.assert_allclose(shipped.sparse[name], fresh.sparse[name], rtol=1e-3, atol=2e-3)


def test_home_shows_rich_crossover_and_lazy():
    verdicts = [home.nearest(alpha).verdict for alpha in home.REGIMES]
    assert verdicts == ["rich", "crossover", "lazy"]


def test_exponents_over_the_shipped_runs_are_those_of_theorem_2_2():
    for quantity in exponent.QUANTITIES:
        fit = exponent.fit(home.runs(), quantity)
        assert fit.exponent == pytest.approx(fit.predicted, abs=0.06)


def test_a_shipped_run_is_found_by_its_digest_and_no_other_is():
    result = home.runs()[0]
    assert shelf.find(result.digest) is result
    assert shelf.find("0" * 16) is None


def test_a_broken_file_is_left_out(tmp_path, monkeypatch):
    config = home.configs()[0]
    (tmp_path / f"{config.digest}.npz").write_bytes(b"not a result")
    monkeypatch.setattr(shelf, "DIRECTORY", tmp_path)
    assert home.runs() == ()
    assert home.nearest(1.0) is None
