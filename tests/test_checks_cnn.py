"""The checks of convolutional networks: what they compute, and that they can fail."""

import numpy as np
import pytest
import torch

from lazycore.cli import main
from lazycore.papers import checking
from lazycore.papers.lazy_training.claims import cnn
from lazycore.papers.lazy_training.claims.cnn import CHECKS
from lazycore.papers.lazy_training.figures import _convolutional
from lazycore.results.run import RunResult, Snapshot
from lazycore.tasks import _images

DIGITS = CHECKS[0]


def ended(error: float, loss: float, moved: float, kept: float) -> RunResult:
    """Return a run that ends with these numbers."""
    series = {
        "nonlinear.train_error": error,
        "nonlinear.test_error": error,
        "nonlinear.train_loss": loss,
        "nonlinear.displacement": moved,
        "activation_stability": kept,
    }
    return RunResult.collect(None, [Snapshot(time=1.0, progress=1.0, series=series)])


def as_calibrated(**changed):
    """Return the numbers of the reference, with some of them changed."""
    found = {
        "1": (0.015, 0.062, 2.4, 0.789),
        "10": (0.050, 0.100, 0.25, 0.981),
        "1000": (0.053, 0.128, 2.56e-3, 0.9998),
        "1e+07": (0.053, 0.128, 2.56e-7, 1.0),
    }
    return {alpha: ended(*numbers) for alpha, numbers in (found | changed).items()}


def test_the_numbers_of_the_reference_pass_and_are_shown():
    rows = DIGITS.judge(as_calibrated())
    assert [row.passed for row in rows] == [None] * 4 + [True] * 6
    assert "stability 78.90" in rows[0].measured and "MSE 0.0124" in rows[0].measured
    assert set(DIGITS.runs) == set(as_calibrated())


@pytest.mark.parametrize(
    ("changed", "claim"),
    [
        ({"1000": (0.053, 0.128, 2.56e-3, 0.99)}, "stability"),
        ({"1000": (0.043, 0.128, 2.56e-3, 0.9998)}, "agree"),
        ({"1": (0.045, 0.062, 2.4, 0.789)}, "lost"),
        ({"1": (0.015, 0.1, 2.4, 0.789)}, "MSE"),
        ({"1000": (0.053, 0.128, 2.7e-3, 0.9998)}, "‖w − w0‖ at"),
        ({"10": (0.05, 0.1, 0.4, 0.981)}, "∝"),
    ],
)
def test_each_claim_can_fail_by_itself(changed, claim):
    failed = [row for row in DIGITS.judge(as_calibrated(**changed)) if row.passed is False]
    assert len(failed) == 1 and claim in failed[0].claim


def test_another_data_set_is_shown_and_not_judged():
    rows = CHECKS[1].judge(as_calibrated(**{"1": (0.5, 0.2, 2.4, 0.8)}))
    assert all(row.passed is None for row in rows)


def test_the_runs_are_those_of_the_calibration():
    config = DIGITS.runs["1000"].resolve().to_dict()
    assert config["steps"] == 20 * 10 and config["alpha"] == 1000.0
    assert (config["momentum"], config["batch_size"]) == (0.9, 128)
    assert config["schedule_decay"] == pytest.approx(1.0 / 3.0)


def test_the_step_is_that_of_the_calibration_in_units_of_the_normalised_images():
    pixels = _images.read("digits_1797.npz")["x"].reshape(1797, -1) / 16.0
    assert 0.3 * (pixels**2).mean() == pytest.approx(_convolutional.DIGITS_STEP, rel=0.01)


def test_noise_images_are_normalised_like_the_others():
    x = cnn._noise_images(torch.zeros(30, 64))
    assert torch.allclose(x.mean(0), torch.zeros(64, dtype=x.dtype), atol=0.2)
    assert torch.allclose(x.square().sum(1), torch.full((30,), 64.0, dtype=x.dtype))


def test_a_kernel_without_a_gap_fails_the_check(monkeypatch):
    monkeypatch.setattr(cnn, "eigenvalues", lambda *_: 1.0 / np.arange(1.0, 1001.0))
    (check,) = checking.select(["cnn-spectrum"], quick=True)
    judged = [row for row in check.judge({}) if row.passed is not None]
    assert len(judged) == 2 and not any(row.passed for row in judged)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_lazy_regime_of_a_small_network_on_digits(capsys):
    assert main(["check", "cnn-digits", "cnn-spectrum"]) == 0
