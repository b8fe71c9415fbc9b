"""Convolutional networks in the lazy regime (Chizat, Oyallon & Bach 2019, §3.2, Appendix C).

The paper's figures 3(a) and 7 are of VGG-11 on CIFAR-10. Here a small network learns small
images: the same quantities, on another problem.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from lazycore.checks import Check, Row
from lazycore.config import RunConfig
from lazycore.results import RunResult

PAPER = "lazy-training"
ALPHAS = (1.0, 10.0, 1e3, 1e7)
EPOCHS = 20
BATCH = 128
DIGITS_STEP = 0.07
"""η₀ of the calibration, 0.3, in our units: its pixels went from 0 to 1, so that ‖x‖²/d was 0.235
on average and is 1 here; the kernel grows with that."""
FASHION_STEP = 0.03
SPECTRUM_IMAGES = 100
SPECTRUM_SEEDS = range(6)
CLASSES = 10


def trained(task: str, n_train: int, n_test: int, alpha: float, step_size: float) -> RunConfig:
    """Return the run of check 15: 16, 32 and 64 channels, momentum 0.9, η = η₀/(1 + t/3)."""
    return RunConfig.from_dict(
        {
            "task": task,
            "labels": "ten",
            "n_train": n_train,
            "n_test": n_test,
            "model": "cnn",
            "alpha": alpha,
            "dynamics": "sgd",
            "step_size": step_size,
            "schedule": "inverse_time",
            "schedule_decay": 1.0 / 3.0,
            "momentum": 0.9,
            "batch_size": BATCH,
            "steps": EPOCHS * (n_train // BATCH),
        }
    )


def accuracy(result: RunResult, part: str) -> float:
    """Return the share of points that the network gets right at the end, in percent."""
    return 100.0 * (1.0 - float(result.series[f"nonlinear.{part}_error"][-1]))


def stability(result: RunResult) -> float:
    """Return the share of activations that keep their sign, in percent."""
    return 100.0 * float(result.series["activation_stability"][-1])


def mean_square_error(result: RunResult) -> float:
    """Return the mean over the classes of (f − y)² on the training points; R is half the sum."""
    return 2.0 * float(result.series["nonlinear.train_loss"][-1]) / CLASSES


def displacement(result: RunResult) -> float:
    """Return ‖w − w0‖ at the end."""
    return float(result.series["nonlinear.displacement"][-1])


def displacement_slope(results: Mapping[float, RunResult]) -> float:
    """Return the exponent of ‖w − w0‖ in α, by least squares in logarithms."""
    moves = [displacement(result) for result in results.values()]
    return float(np.polyfit(np.log(list(results)), np.log(moves), 1)[0])


def _found(by_alpha: Mapping[float, RunResult]) -> list[Row]:
    """Return what was measured at each α; judged below."""
    rows = []
    for alpha, result in by_alpha.items():
        frozen = 100.0 * (1.0 - float(result.latest.get("frozen_gates.test_error", np.nan)))
        text = (
            f"train {accuracy(result, 'train'):.1f} / test {accuracy(result, 'test'):.1f}, "
            f"stability {stability(result):.2f}, MSE {mean_square_error(result):.4f}, "
            f"‖w − w0‖ {displacement(result):.3g}, gates frozen {frozen:.1f}, {result.status}"
        )
        rows.append(Row(f"α = {alpha:g}", text, "see below", None))
    return rows


def _by_alpha(results: Mapping[str, RunResult]) -> dict[float, RunResult]:
    return {alpha: results[f"{alpha:g}"] for alpha in ALPHAS}


def _judge(name: str, judged: bool, results: Mapping[str, RunResult]) -> list[Row]:
    """Return the rows of the table; those of a data set that was not calibrated are shown."""
    by_alpha = _by_alpha(results)
    rich, lazy = by_alpha[1.0], by_alpha[1e7]
    steady = min(stability(by_alpha[alpha]) for alpha in ALPHAS if alpha >= 1e3)
    parts = ("train", "test")
    apart = max(abs(accuracy(by_alpha[1e3], p) - accuracy(lazy, p)) for p in parts)
    lost = accuracy(rich, "test") - accuracy(lazy, "test")
    ratio = mean_square_error(lazy) / mean_square_error(rich)
    products = [alpha * displacement(by_alpha[alpha]) for alpha in (1e3, 1e7)]
    steady_move = abs(products[0] / products[1] - 1.0)
    slope = displacement_slope({alpha: by_alpha[alpha] for alpha in ALPHAS if alpha > 1.0})
    rows = [
        ("stability of activations at α ≥ 10³", f"{steady:.3f} %", "≥ 99.9 %", steady >= 99.9),
        ("accuracies at 10³ and 10⁷ agree", f"to {apart:.2f} points", "≤ 0.5", apart <= 0.5),
        ("test accuracy lost from α = 1 to 10⁷", f"{lost:.2f} points", "≥ 2", lost >= 2.0),
        ("training MSE at 10⁷ over that at 1", f"{ratio:.2f}", "≥ 1.8", ratio >= 1.8),
        ("‖w − w0‖ ∝ α^s from α = 10", f"s = {slope:.4f}", "−1 ± 0.02", abs(slope + 1.0) <= 0.02),
        ("α ‖w − w0‖ at 10³ and 10⁷ agree", f"to {steady_move:.2%}", "2 %", steady_move <= 0.02),
    ]
    found = [
        Row(f"{name}: {claim}", measured, allowed, holds if judged else None)
        for claim, measured, allowed, holds in rows
    ]
    return _found(by_alpha) + found


def _noise_images(x):
    """Return images of uniform random pixels, without their mean and of the same length."""
    import torch

    from lazycore.tasks._images import normalise

    pixels = np.random.default_rng(0).uniform(size=tuple(x.shape))
    return torch.as_tensor(normalise(pixels, pixels[:0])[0])


def eigenvalues(noise: bool, init_seed: int | None = None) -> np.ndarray:
    """Return the spectrum of Θ₀ of the network of check 15 on 100 digits, or on noise.

    init_seed: of the initial weights; that of a default run when None is given.
    """
    import torch

    from lazycore.kernel import tangent_kernel
    from lazycore.problem import build_problem
    from lazycore.spectrum import spectrum

    fields = trained("digits", 1400, 0, 1.0, DIGITS_STEP).given() | {"init_seed": init_seed}
    problem = build_problem(RunConfig.from_dict(fields).resolve().to_dict(), torch.device("cpu"))
    x = problem.train.x[:SPECTRUM_IMAGES]
    features = problem.network.features(problem.w0, _noise_images(x) if noise else x)
    return spectrum(tangent_kernel(features), CLASSES)


def _judge_spectrum(results: Mapping[str, RunResult]) -> list[Row]:
    from lazycore.spectrum import class_gap

    rows = []
    for name, noise in (("digits", False), ("random pixels", True)):
        values = eigenvalues(noise)
        after, ratio = class_gap(values)
        claim = f"Θ₀ on {SPECTRUM_IMAGES} images, {name}: the widest gap comes after the classes"
        text = f"λ₁₀/λ₁₁ = {values[9] / values[10]:.2f}, widest after {after} ({ratio:.2f})"
        rows.append(Row(claim, text, "after 10, > 3", after == CLASSES and ratio > 3.0))
        later = slice(30, 300)
        index = np.arange(1, len(values) + 1)
        slope = np.polyfit(np.log(index[later]), np.log(values[later]), 1)[0]
        text = f"λ_i ∝ i^{slope:.2f} for 31 ≤ i ≤ 300, condition {values[0] / values[-1]:.1e}"
        rows.append(Row(f"… and then, {name}", text, "shown", None))
        gaps = [class_gap(eigenvalues(noise, seed)) for seed in SPECTRUM_SEEDS]
        there = [ratio for after, ratio in gaps if after == CLASSES]
        text = f"after 10 for {len(there)} of {len(gaps)} initial weights, λ₁₀/λ₁₁ "
        text += f"{min(there):.2f} to {max(there):.2f}" if there else "never the widest"
        rows.append(Row(f"… and how the gap is spread, {name}", text, "shown", None))
    return rows


def _runs(task: str, n_train: int, n_test: int, step_size: float) -> dict[str, RunConfig]:
    return {f"{a:g}": trained(task, n_train, n_test, a, step_size) for a in ALPHAS}


def _judgement(name: str, judged: bool) -> Callable[[Mapping[str, RunResult]], list[Row]]:
    return partial(_judge, name, judged)


_SHARED = Check(name="", source="", judge=_judge_spectrum, slow=True, paper=PAPER)

CHECKS = (
    replace(
        _SHARED,
        name="cnn-digits",
        source="as Figures 3(a) and 7(a) of Chizat, Oyallon & Bach 2019, on 8 × 8 digits",
        runs=_runs("digits", 1400, 340, DIGITS_STEP),
        judge=_judgement("digits, 1,400 + 340", True),
    ),
    replace(
        _SHARED,
        name="cnn-fashion",
        source="the same on Fashion-MNIST mini: as found, not calibrated",
        runs=_runs("fashion_mnist", 1000, 500, FASHION_STEP),
        judge=_judgement("Fashion-MNIST mini, 1,000 + 500", False),
    ),
    replace(
        _SHARED,
        name="cnn-spectrum",
        source="as Figure 7(b) of Chizat, Oyallon & Bach 2019, on 8 × 8 images",
        slow=False,
    ),
)
