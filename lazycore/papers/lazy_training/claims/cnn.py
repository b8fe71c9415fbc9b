"""Convolutional networks in the lazy regime (Chizat, Oyallon & Bach 2019, §3.2, Appendix C).

The paper's figures 3(a) and 7 are of VGG-11 on CIFAR-10. Here a small network learns small
images: the same quantities, on another problem.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.papers.claim import Check, Row
from lazycore.papers.lazy_training.figures._convolutional import (
    ALPHAS,
    DIGITS_STEP,
    IMAGES,
    NEW_IMAGES,
    trained,
)
from lazycore.results.quantities.units import ACTIVATION_STABILITY
from lazycore.results.run import RunResult
from lazycore.theory.lazy import slope

FASHION_STEP = 0.03
SPECTRUM_IMAGES = 100
SPECTRUM_SEEDS = range(6)
CLASSES = 10


def accuracy(result: RunResult, part: str) -> float:
    """Return the share of points that the network gets right at the end, in percent."""
    return 100.0 * (1.0 - float(result.series[f"nonlinear.{part}_error"][-1]))


def stability(result: RunResult) -> float:
    """Return the share of activations that keep their sign, in percent."""
    return 100.0 * float(ACTIVATION_STABILITY.values(result)[-1])


def mean_square_error(result: RunResult) -> float:
    """Return the mean over the classes of (f − y)² on the training points; R is half the sum."""
    return 2.0 * float(result.series["nonlinear.train_loss"][-1]) / CLASSES


def displacement(result: RunResult) -> float:
    """Return ‖w − w0‖ at the end."""
    return float(result.series["nonlinear.displacement"][-1])


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


def judged(name: str, judge: bool, results: Mapping[str, RunResult]) -> list[Row]:
    """Return the rows of the table; those of a data set that was not calibrated are shown."""
    by_alpha = {alpha: results[f"{alpha:g}"] for alpha in ALPHAS}
    rich, lazy = by_alpha[1.0], by_alpha[1e7]
    steady = min(stability(by_alpha[alpha]) for alpha in ALPHAS if alpha >= 1e3)
    parts = ("train", "test")
    apart = max(abs(accuracy(by_alpha[1e3], p) - accuracy(lazy, p)) for p in parts)
    lost = accuracy(rich, "test") - accuracy(lazy, "test")
    ratio = mean_square_error(lazy) / mean_square_error(rich)
    products = [alpha * displacement(by_alpha[alpha]) for alpha in (1e3, 1e7)]
    steady_move = abs(products[0] / products[1] - 1.0)
    large = [alpha for alpha in ALPHAS if alpha > 1.0]
    exponent = slope(large, [displacement(by_alpha[alpha]) for alpha in large])[0]
    rows = [
        ("stability of activations at α ≥ 10³", f"{steady:.3f} %", "≥ 99.9 %", steady >= 99.9),
        ("accuracies at 10³ and 10⁷ agree", f"to {apart:.2f} points", "≤ 0.5", apart <= 0.5),
        ("test accuracy lost from α = 1 to 10⁷", f"{lost:.2f} points", "≥ 2", lost >= 2.0),
        ("training MSE at 10⁷ over that at 1", f"{ratio:.2f}", "≥ 1.8", ratio >= 1.8),
        (
            "‖w − w0‖ ∝ α^s from α = 10",
            f"s = {exponent:.4f}",
            "−1 ± 0.02",
            abs(exponent + 1.0) <= 0.02,
        ),
        ("α ‖w − w0‖ at 10³ and 10⁷ agree", f"to {steady_move:.2%}", "2 %", steady_move <= 0.02),
    ]
    found = [
        Row(f"{name}: {claim}", measured, allowed, holds if judge else None)
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

    from lazycore.engine.features.kernel import tangent_kernel
    from lazycore.engine.measures.spectrum import spectrum
    from lazycore.engine.problem.problem import build_problem

    fields = trained("digits", IMAGES, 0, 1.0, DIGITS_STEP).given() | {"init_seed": init_seed}
    problem = build_problem(RunConfig.from_dict(fields).resolve().to_dict(), torch.device("cpu"))
    x = problem.train.x[:SPECTRUM_IMAGES]
    features = problem.network.features(problem.w0, _noise_images(x) if noise else x)
    return spectrum(tangent_kernel(features), CLASSES)


def _judge_spectrum(results: Mapping[str, RunResult]) -> list[Row]:
    from lazycore.engine.measures.spectrum import class_gap

    rows = []
    for name, noise in (("digits", False), ("random pixels", True)):
        values = eigenvalues(noise)
        after, ratio = class_gap(values)
        claim = f"Θ₀ on {SPECTRUM_IMAGES} images, {name}: the widest gap comes after the classes"
        text = f"λ₁₀/λ₁₁ = {values[9] / values[10]:.2f}, widest after {after} ({ratio:.2f})"
        rows.append(Row(claim, text, "after 10, > 3", after == CLASSES and ratio > 3.0))
        later = slice(30, 300)
        index = np.arange(1, len(values) + 1)
        exponent = slope(index[later].tolist(), values[later].tolist())[0]
        text = f"λ_i ∝ i^{exponent:.2f} for 31 ≤ i ≤ 300, condition {values[0] / values[-1]:.1e}"
        rows.append(Row(f"… and then, {name}", text, "shown", None))
        gaps = [class_gap(eigenvalues(noise, seed)) for seed in SPECTRUM_SEEDS]
        there = [ratio for after, ratio in gaps if after == CLASSES]
        text = f"after 10 for {len(there)} of {len(gaps)} initial weights, λ₁₀/λ₁₁ "
        text += f"{min(there):.2f} to {max(there):.2f}" if there else "never the widest"
        rows.append(Row(f"… and how the gap is spread, {name}", text, "shown", None))
    return rows


def _runs(task: str, n_train: int, n_test: int, step_size: float) -> dict[str, RunConfig]:
    return {f"{a:g}": trained(task, n_train, n_test, a, step_size) for a in ALPHAS}


CHECKS = (
    Check(
        name="cnn-digits",
        source="as Figures 3(a) and 7(a) of Chizat, Oyallon & Bach 2019, on 8 × 8 digits",
        runs=_runs("digits", IMAGES, NEW_IMAGES, DIGITS_STEP),
        judge=partial(judged, f"digits, {IMAGES:,} + {NEW_IMAGES}", True),
        slow=True,
    ),
    Check(
        name="cnn-fashion",
        source="the same on Fashion-MNIST mini: as found, not calibrated",
        runs=_runs("fashion_mnist", 1000, 500, FASHION_STEP),
        judge=partial(judged, "Fashion-MNIST mini, 1,000 + 500", False),
        slow=True,
    ),
    Check(
        name="cnn-spectrum",
        source="as Figure 7(b) of Chizat, Oyallon & Bach 2019, on 8 × 8 images",
        judge=_judge_spectrum,
    ),
)
