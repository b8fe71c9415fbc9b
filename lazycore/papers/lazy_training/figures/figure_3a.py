"""Figure 3(a): accuracy and stability of activations of a convolutional network against α."""

from collections.abc import Sequence
from functools import partial

from lazycore.papers.agreement import judged, value_at
from lazycore.papers.claim import Row
from lazycore.papers.lazy_training.figures._convolutional import CAVEAT, SETTINGS, along_alpha
from lazycore.papers.lazy_training.figures._reported import curves, read_off
from lazycore.papers.reproduction import Curve, Found, Reproduction, Scale

TRAIN, TEST, STABILITY = "training accuracy", "test accuracy", "stability of activations"


def lines(found: Sequence[Found]) -> list[Curve]:
    """Return the accuracies at the end and the stability of activations over α, in percent."""
    return [
        along_alpha(TRAIN, found, "final_train_error", -100.0, 100.0),
        along_alpha(TEST, found, "final_test_error", -100.0, 100.0),
        along_alpha(STABILITY, found, "activation_stability", 100.0),
    ]


def agreement(found: Sequence[Found]) -> list[Row]:
    """Compare what the figure says: large α are one limit, in which accuracy is lost."""
    _, test, stable = lines(found)
    rich, large, lazy = (value_at(test, alpha) for alpha in (1.0, 1e3, 1e7))
    kept = value_at(stable, 1e3)
    return [
        judged(
            "α = 10³: activations that keep their sign",
            kept,
            f"{kept:.2f} %",
            "≥ 99.9 %",
            kept >= 99.9,
        ),
        judged(
            "α = 10³ and 10⁷: test accuracies",
            large - lazy,
            f"{large:.1f} and {lazy:.1f} %",
            "within 0.5 points",
            abs(large - lazy) <= 0.5,
        ),
        judged(
            "test accuracy lost from α = 1 to 10⁷",
            rich - lazy,
            f"{rich - lazy:.1f} points (the paper: 33.6)",
            "≥ 2 points",
            rich - lazy >= 2.0,
        ),
    ]


REPRODUCTION = Reproduction(
    name="3a",
    title="Figure 3(a): a lazy convolutional network is less accurate",
    caption="Accuracy at the end of training against the output scale α, and the share of hidden "
    "units that keep their sign. From α of about 100 on nothing changes any more: the activations "
    "stay, the network is its linearisation, and it is less accurate than at α = 1.",
    x=Scale(title="output scale α (no unit)", log=True),
    y=Scale(title="share (%)"),
    settings=SETTINGS,
    curves=lines,
    reported=partial(curves, "3a"),
    read_off=read_off,
    agreement=agreement,
    missing=CAVEAT,
)
