"""What hypotheses and bounds of the theorems are made of, at w₀ and in L²(ρ̂)."""

from lazycore.results.quantities.declared import ARRAY, RUN, WORD, Quantity

PLACE = 6

_NUMBERS = {
    "differential_norm": "‖Dh(w₀)‖",
    "initial_output": "‖h(w₀)‖",
    "target_norm": "‖y*‖",
    "initial_residual": "‖αh(w₀) − y*‖",
    "smallest_singular_value": "of Dh(w₀)ᵀ, up to 200 outputs: 0 where Dh(w₀) is not surjective",
    "smallest_positive_singular_value": "the smallest one that is not rounding",
    "rank": "numerical rank of Dh(w₀), up to 200 outputs: singular values above 10⁻⁶ of the "
    "largest",
    "rank_nearby": "the same at a point near w₀",
    "outputs": "n·k",
    "smooth": "whether h is twice differentiable",
}

THEOREM_2_3 = Quantity(
    name="theory.theorem_2_3",
    meaning="Theorem 2.3's bound on `gap.train_output`, null where its hypotheses fail",
)
REASON = Quantity(
    name="theory.reason",
    meaning="why there is no such bound",
    at=RUN,
    kind=WORD,
)
CURVATURE = Quantity(
    name="constants.curvature",
    meaning="Lip(Dh) on the ball of each `constants.curvature_radius`",
    at=RUN,
    kind=ARRAY,
    axes=("radii",),
)
CURVATURE_RADIUS = Quantity(
    name="constants.curvature_radius",
    meaning="radii of balls round w₀",
    at=RUN,
    kind=ARRAY,
    axes=("radii",),
)
TARGET = Quantity(
    name="constants.target",
    meaning="y* itself, (n, k), where n·k ≤ 8",
    at=RUN,
    kind=ARRAY,
    axes=("points", "outputs"),
)
KIND = Quantity(
    name="constants.curvature_kind",
    meaning="whether `constants.curvature` is an upper bound, or an estimate from below, which is "
    "no bound",
    at=RUN,
    kind=WORD,
)
WHY = Quantity(
    name="constants.curvature_reason", meaning="why it is of that kind", at=RUN, kind=WORD
)

QUANTITIES = (
    *(THEOREM_2_3, REASON),
    *(
        Quantity(name=f"constants.{name}", meaning=meaning, at=RUN)
        for name, meaning in _NUMBERS.items()
    ),
    *(CURVATURE, CURVATURE_RADIUS, KIND, WHY, TARGET),
)
