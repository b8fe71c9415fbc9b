"""The trajectory of a damped oscillator as a function of its parameters: an ODE, no network.

    q'' = −k q − c q',   w = (ln k, ln 4c, q(0), q'(0)),   h(w, t) = q(t)

integrated by Runge–Kutta of fourth order in steps of a fixed number. A program of four
weights: lazily it can only mix the four sensitivities that it starts with.
"""

from lazycore.config.fields import INIT_SCALE, ZERO_OUTPUT
from lazycore.config.spec import Spec, Values
from lazycore.errors import ConfigError

DOUBLINGS = 7
"""Each time is reached in 2⁷ = 128 steps."""
WEIGHTS = 4


def _check(values: Values) -> None:
    if values["task"] != "ode_fit":
        raise ConfigError(
            f"model=ode is a function of one time, which task={values['task']} does not have: "
            "give task=ode_fit."
        )


def _weights(values: Values, d: int, k: int) -> int:
    return 2 * WEIGHTS if values["zero_output"] == "symmetrized" else WEIGHTS


SPEC = Spec(
    name="ode",
    meaning="a damped oscillator, solved: four parameters, no network",
    reads=(INIT_SCALE, ZERO_OUTPUT),
    check=_check,
    facts={
        "parameters": _weights,
        # A product of 2 × 2 matrices for each doubling, and three for the step itself.
        "operations": lambda values, d, k: 8 * (DOUBLINGS + 3) * _weights(values, d, k) // WEIGHTS,
    },
)


def build(values: Values, d: int, k: int):
    """Return the oscillator; its weights start as N(0, τ²).

    The equation is linear in (q, q'), so that a step of Runge–Kutta of size h multiplies by
    P = 1 + Z + Z²/2 + Z³/6 + Z⁴/24 with Z = hA, and 2⁷ steps by P after seven squarings: what
    the loop over steps gives, at a tenth of its cost.
    """
    from lazycore.engine.networks.function_network import FunctionNetwork
    from lazycore.engine.networks.network import Block
    from lazycore.engine.networks.symmetrized import Symmetrized

    def trajectory(w, x):
        stiffness, damping = w[0].exp(), 0.25 * w[1].exp()
        one, moved, pulled, damped = x.new_tensor(
            [
                [[1.0, 0.0], [0.0, 1.0]],
                [[0.0, 1.0], [0.0, 0.0]],
                [[0.0, 0.0], [1.0, 0.0]],
                [[0.0, 0.0], [0.0, 1.0]],
            ]
        )
        z = (x / 2**DOUBLINGS)[:, :, None] * (moved - stiffness * pulled - damping * damped)
        step = one + z @ (one + z @ (one + z @ (one + z / 4.0) / 3.0) / 2.0)
        for _ in range(DOUBLINGS):
            step = step @ step
        return (step[:, 0] * w[2:]).sum(1, keepdim=True)

    network = FunctionNetwork(
        function=trajectory,
        parts=(Block("parameters", (WEIGHTS,), 0),),
        draw=lambda rng: values["init_scale"] * rng.standard_normal(WEIGHTS),
    )
    return Symmetrized(network) if values["zero_output"] == "symmetrized" else network
