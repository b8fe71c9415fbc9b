"""Figure 7(a): the mean square error of a convolutional network against α."""

import math
from collections.abc import Sequence
from functools import partial

from lazycore.papers.agreement import judged, value_at
from lazycore.papers.claim import Row
from lazycore.papers.lazy_training.figures._convolutional import CAVEAT, SETTINGS, along_alpha
from lazycore.papers.lazy_training.figures._reported import curves, read_off
from lazycore.papers.reproduction import Curve, Found, Reproduction, Scale

CLASSES = 10
FACTOR = 2.0 / CLASSES
"""The paper takes the mean over the classes of (f − y)², ours is half their sum."""
WORSE = 1.8


def lines(found: Sequence[Found]) -> list[Curve]:
    """Return the mean square errors at the end over α."""
    return [
        along_alpha("training loss", found, "final_train_loss", FACTOR),
        along_alpha("test loss", found, "final_test_loss", FACTOR),
    ]


def agreement(found: Sequence[Found]) -> list[Row]:
    """Compare what the figure says: the lazy limit under-fits, on the training points too."""
    train = lines(found)[0]
    rich, lazy = value_at(train, 1.0), value_at(train, 1e7)
    ratio = lazy / rich if rich > 0.0 else math.nan
    said = f"{lazy:.4f} / {rich:.4f} = {ratio:.2f} (the paper: 36)"
    claim = "training loss at α = 10⁷ over that at α = 1"
    return [judged(claim, ratio, said, f"≥ {WORSE:g}", ratio >= WORSE)]


REPRODUCTION = Reproduction(
    name="7a",
    title="Figure 7(a): a lazy convolutional network does not even fit",
    caption="The loss at the end of training against α. In the lazy limit the training loss stays "
    "large, for all its parameters: the tangent system is ill-conditioned (Figure 7(b)).",
    x=Scale(title="output scale α (no unit)", log=True),
    y=Scale(title="mean square error (no unit)", log=True),
    settings=SETTINGS,
    curves=lines,
    reported=partial(curves, "7a"),
    read_off=read_off,
    agreement=agreement,
    missing=CAVEAT,
)
