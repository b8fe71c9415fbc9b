"""The constants that a run recorded, as theorems read them; what is missing is None."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazycore.config import spec
from lazycore.papers.theorem import BELOW, BOUND
from lazycore.results.run import RunResult

KINDS = {"upper bound": BOUND, "estimate from below, not a bound": BELOW}


@dataclass(frozen=True, eq=False)
class Constants:
    """What a run says of its problem at w0; see `lazycore.engine.measures.constants` for the
    meanings."""

    latest: Mapping[str, Any]
    config: Mapping[str, Any]
    initial_loss: float

    @classmethod
    def of(cls, result: RunResult) -> "Constants":
        """Return the constants of this run."""
        losses = result.series.get("nonlinear.train_loss", np.array([np.nan]))
        first = float(losses[0]) if losses.size else float("nan")
        return cls(result.latest, result.config or {}, first)

    def get(self, name: str) -> Any:
        """Return a constant, None where the run has none of that name."""
        return self.latest.get(f"constants.{name}")

    @property
    def alpha(self) -> float:
        """The output scale."""
        return float(self.config.get("alpha") or 1.0)

    @property
    def is_flow(self) -> bool:
        """Whether the run is a gradient flow."""
        return bool(spec.facts_of("dynamics", self.config.get("dynamics")).get("gradient_flow"))

    @property
    def loss(self) -> spec.Values:
        """The facts of the loss."""
        return spec.loss_facts({**self.config, "loss": self.config.get("loss") or "square"})

    @property
    def kind(self) -> str | None:
        """What a bound made with Lip(Dh) is; None where nothing is known of it."""
        return KINDS.get(str(self.get("curvature_kind")))

    @property
    def curvature(self) -> Callable[[float], float]:
        """r → Lip(Dh) on the ball of radius r; ∞ beyond what was looked at.

        Of the recorded radii the next larger one: what bounds a ball bounds those within.
        """
        radii = np.asarray(self.get("curvature_radius"), dtype=float)
        values = np.maximum.accumulate(np.asarray(self.get("curvature"), dtype=float))

        def at(radius: float) -> float:
            place = int(np.searchsorted(radii, radius))
            return float(values[place]) if place < len(values) else float("inf")

        return at

    def lipschitz(self, radius: float) -> float:
        """Return ‖Dh(w0)‖ + r Lip(Dh), which bounds Lip(h) on the ball of radius r."""
        return float(self.get("differential_norm")) + radius * self.curvature(radius)
