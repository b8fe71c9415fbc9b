"""Where training is hard: networks too small for their points, rounding, kinks."""

from collections.abc import Mapping

from lazycore.papers.claim import Check, Row
from lazycore.papers.feature_lazy.claims.exponents import SOURCE, setting
from lazycore.results.run import RunResult

JAMMING_WIDTHS, JAMMING_SCALES = (4, 6, 8, 12, 16, 24), (1e-1, 1e1, 1e3)
ROBUST = {
    "float32, √h α = 1e6": {"scale": 1e6, "dtype": "float32"},
    "ReLU, ε_∇ = 1e-4, √h α = 0.01": {
        "scale": 1e-2,
        "activation": "relu",
        "gradient_tolerance": 1e-4,
    },
}


def _jamming(results: Mapping[str, RunResult]) -> list[Row]:
    rows = []
    for scale in JAMMING_SCALES:
        met = {
            h: results[f"{scale:g} {h}"].latest.get("nonlinear.stop_time") is not None
            for h in JAMMING_WIDTHS
        }
        fitted = [h for h in JAMMING_WIDTHS if all(met[w] for w in JAMMING_WIDTHS if w >= h)]
        said = f"h ≥ {fitted[0]}" if fitted else f"none up to {JAMMING_WIDTHS[-1]}"
        claim = f"widths that meet all margins of 300 digits (10 components), √h α = {scale:g}"
        rows.append(Row(claim, said, "h from 6 to 16 on, at every α", None))
    return rows


def _robust(results: Mapping[str, RunResult]) -> list[Row]:
    rows = []
    for label in ROBUST:
        result = results[label]
        diagnosis = result.latest.get("diagnosis")
        said = f"{result.status}" + (f" ({diagnosis})" if diagnosis else "")
        ended = result.status == "done" or (result.status == "budget" and diagnosis is not None)
        claim = f"adaptive Euler, {label}: ends"
        rows.append(Row(claim, said, "done, or budget with a diagnosis", ended))
    return rows


CHECKS = (
    Check(
        name="feature-lazy-robust",
        source="our own promise; the rule of Geiger et al. 2020 hangs on both",
        runs={
            label: setting(dynamics="adaptive_euler", tolerance=None, **fields)
            for label, fields in ROBUST.items()
        },
        judge=_robust,
    ),
    Check(
        name="feature-lazy-jamming",
        source=SOURCE,
        runs={
            f"{scale:g} {h}": setting(
                scale,
                width=h,
                n_train=300,
                pca=10,
                activation="swish",
                activation_beta=10.0,
                time=1e5,
            )
            for scale in JAMMING_SCALES
            for h in JAMMING_WIDTHS
        },
        judge=_jamming,
        slow=True,
    ),
)
