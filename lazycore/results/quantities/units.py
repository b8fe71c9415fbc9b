"""Of hidden units and of the first layer's weights."""

from lazycore.results.quantities import reductions
from lazycore.results.quantities.declared import ARRAY, OF_OUTPUTS, RUN, SHARE, Number, Quantity

PLACE = 4

ACTIVATION_STABILITY = Quantity(
    name="activation_stability",
    meaning="share of (point, hidden unit) pairs whose pre-activation keeps its sign",
    title="units that keep their sign",
    unit=SHARE,
    log=False,
    absent=None,
    compared="stability",
    numbers=(
        Number(
            name="activation_stability",
            words="share of hidden units that keep their sign",
            how=reductions.final,
        ),
    ),
)
STABILITY_BY_LAYER = Quantity(
    name="activation_stability_by_layer",
    meaning="the same for each layer (torch modules: for each activation module, on the first "
    "points, 3·10⁷ pairs at most)",
    unit=SHARE,
    log=False,
    axes=("hidden layers",),
)
TEST_STABILITY = Quantity(
    name="test_activation_stability", meaning="the same on test points", unit=SHARE, log=False
)
COMPRESSION = Quantity(
    name="compression",
    meaning="Λ = rms w_∥ / rms w_⊥ of the first layer's weights, of inputs that the labels depend "
    "on and of those they do not (`task=stripe`)",
    title="Λ = rms w∥ / rms w⊥",
)
PREACTIVATION_SPEED = Quantity(
    name="preactivation_speed",
    meaning="√(mean over points and units of ż²) of each hidden layer at t = 0, fully connected "
    "networks",
    at=RUN,
    kind=ARRAY,
    axes=("speeds",),
)
FROZEN_GATES = tuple(
    Quantity(name=f"frozen_gates.{part}_{name}", meaning=meaning, unit=unit, at=RUN)
    for part, points in (("train", "training"), ("test", "test"))
    for name, unit, meaning in (
        (
            "gap",
            OF_OUTPUTS,
            f"rms over the {points} points of how far α(h − h(w₀)) is at the end from that of the "
            "network whose ReLU and max-pool gates stay as at w₀",
        ),
        ("error", SHARE, f"the share of {points} points that this one gets wrong"),
    )
)

QUANTITIES = (
    *(ACTIVATION_STABILITY, STABILITY_BY_LAYER, TEST_STABILITY, COMPRESSION),
    *(PREACTIVATION_SPEED, *FROZEN_GATES),
)
