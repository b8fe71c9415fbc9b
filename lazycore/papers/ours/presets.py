"""Runs worth seeing, two sentences each, failures included: the story in half a minute. No torch.

Each ships (`lazycore.papers.shelf`), so that it is on the screen at once, also where nothing has
been computed yet.
"""

from dataclasses import dataclass

from lazycore.config.run import RunConfig


@dataclass(frozen=True)
class Preset:
    """A name, what to look for, and the fields that differ from the defaults.

    first: the figure that the story is about, which stands before the others.
    """

    name: str
    story: str
    fields: dict[str, str]
    first: str


STRIPE = {
    "task": "stripe",
    "activation": "softplus",
    "activation_gain": "unit",
    "width": 100,
    "n_train": 200,
    "n_test": 500,
    "alpha": 0.001,
    "loss": "soft_hinge",
    "stop": "margins",
    "keep": "kernels",
}
"""The run with its kernels that ships: √m·α = 0.01, where features are learned."""

_PLANE = {
    "task": "teacher",
    "dim": "2",
    "n_train": "15",
    "width": "20",
    "scaling": "plain",
    "zero_output": "symmetrized",
    "time": "500",
}
_SMALL = {"task": "teacher", "dim": "5", "n_train": "10", "width": "20", "activation": "tanh"}

PRESETS = (
    Preset(
        "Rich",
        "From a small initial scale the neurons travel to the directions of the teacher: press "
        "play under their paths. The linearisation cannot follow, and the kernel changes.",
        _PLANE | {"init_scale": "0.1"},
        "neurons",
    ),
    Preset(
        "Lazy",
        "The same network from a large initial scale fits the points as well, yet its neurons "
        "hardly move. Solid and dashed coincide: it is a linear model in disguise.",
        _PLANE | {"init_scale": "2"},
        "neurons",
    ),
    Preset(
        "One curve",
        "Twenty points of a sine, and the functions that both models draw through them: at a small "
        "α they are not the same. Raise α and watch the solid curve become the dashed one.",
        {"task": "sine", "activation": "tanh", "time": "1000", "alpha": "0.03"},
        "learned",
    ),
    Preset(
        "Circles",
        "Two circles that no line separates, and the border that each model draws. "
        "At a small α the network bends its features; the linearisation only mixes random ones.",
        {"task": "circles", "loss": "logistic", "alpha": "0.3"},
        "learned",
    ),
    Preset(
        "Real digits",
        "Odd against even handwritten digits, at a small α. The network grows features and "
        "fits new digits better than its own linearisation: see the thin curves.",
        {
            "task": "digits",
            "activation": "tanh",
            "alpha": "0.1",
            "n_train": "100",
            "width": "50",
            "time": "1000",
        },
        "losses",
    ),
    Preset(
        "Stripe",
        "One of ten directions decides the label, and at a small α the neurons turn to it: Λ "
        "grows, and so does the kernel. Frozen as it is at the end, the kernel sorts new points "
        "as the network does; the initial one is three times worse.",
        {name: str(value) for name, value in STRIPE.items()},
        "compression",
    ),
    Preset(
        "Exponent −2",
        "With paired neurons the first-order moves cancel, and the gap falls as α⁻² instead "
        "of α⁻¹. Run it at three α, and the fitted exponent appears below.",
        _SMALL | {"zero_output": "symmetrized", "alpha": "100", "time": "1"},
        "distance",
    ),
    Preset(
        "No zero output",
        "Without h(w₀) = 0 the residual itself grows as α, and so does the gap: run it at three "
        "α and see the exponent +1. Compared with the outputs it stays where it is, so that a "
        "larger α makes nothing lazier.",
        _SMALL | {"zero_output": "none", "alpha": "100", "time": "1"},
        "distance",
    ),
    Preset(
        "Too large a step",
        "Above twice the inverse curvature the linearised model diverges, and its curves end "
        "there. The network may survive by moving to flatter ground, which is not lazy at all.",
        _SMALL | {"dynamics": "gd", "steps": "300", "step_size": "40", "alpha": "10"},
        "losses",
    ),
    Preset(
        "float32 at large α",
        "In single precision the gap at α = 10⁵ is rounding noise. It lies below the grey "
        "floor, so the verdict is undecided rather than lazy.",
        _SMALL | {"dynamics": "gd", "steps": "300", "alpha": "100000", "dtype": "float32"},
        "distance",
    ),
    Preset(
        "CNN at α = 10⁷",
        "A convolutional network on ten digits in the lazy limit: no activation changes its "
        "sign, and the gap is below what float64 can see, hence undecided. At α = 1 the same "
        "steps fit better; the spectrum of the kernel says why: ten directions are easy, one a "
        "class, and the rest is hard.",
        {"task": "digits", "model": "cnn", "alpha": "1e7", "n_train": "500", "step_size": "0.05"},
        "stability",
    ),
    Preset(
        "A matrix",
        "No network at all: a matrix of rank 2 from 40 % of its entries, by two factors that "
        "start small. They find the hidden entries too, see the thin curves; their "
        "linearisation, dashed, learns nothing of them.",
        {
            "task": "matrix_completion",
            "n_train": "160",
            "init_scale": "0.03",
            "zero_output": "none",
            "time": "3000",
        },
        "losses",
    ),
    Preset(
        "An oscillator",
        "No network either: four parameters of a damped oscillator, fitted to noisy positions. "
        "The fit finds them; its linearisation has four sensitivities to mix, which do not hold "
        "the answer.",
        {
            "task": "ode_fit",
            "init_scale": "0.3",
            "zero_output": "none",
            "time": "1000",
            "seed": "2",
        },
        "learned",
    ),
    Preset(
        "Figure eight",
        "One weight, two outputs: a curve in the plane, and a point to reach. Lazily it stops "
        "where its tangent is nearest, though another branch passes much closer: Theorem 2.5.",
        {"task": "plane_target", "alpha": "3", "time": "12"},
        "outputs_plane",
    ),
    Preset(
        "Quadratic model",
        "The smallest program that bends: four outputs, each a quadratic of twelve parameters. "
        "Every constant of the theorems is known of it; raise α, and its bend is no longer felt.",
        {"task": "vector", "alpha": "0.3", "time": "20"},
        "distance",
    ),
)


def configs() -> list[RunConfig]:
    """Return the runs of the presets."""
    return [RunConfig.from_text(preset.fields) for preset in PRESETS]
