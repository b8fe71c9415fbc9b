"""Of each model, and of the third path where there is one."""

import math

from lazycore.results.quantities import reductions
from lazycore.results.quantities.declared import (
    ARRAY,
    FLOW_TIME,
    MODELS,
    OF_LOSS,
    OF_OUTPUTS,
    PATHS,
    RUN,
    SHARE,
    STATE,
    WEIGHTS,
    WORDS,
    Number,
    Quantity,
    Record,
)

PLACE = 1
"""Where these stand among all quantities, in the documents and in the choosers."""


def _scaled(record: Record, key: str) -> float:
    config = record.config or {}
    scale = (config.get("width") or math.nan) ** 0.5 * (config.get("alpha") or math.nan)
    return reductions.once(record, key) / scale


STATUS = Quantity(
    name="status",
    meaning="`done` or `diverged`",
    of=PATHS,
    at=RUN,
    kind=STATE,
    absent="done",
)
TRAIN_LOSS = Quantity(
    name="train_loss",
    meaning="R(αh) on the training points, not divided by α²",
    title="training loss R(αh)",
    unit=OF_LOSS,
    of=PATHS,
    absent=[],
    compared="train_loss",
    numbers=(
        Number(name="final_train_loss", words="loss on the training points", how=reductions.final),
    ),
)
TEST_LOSS = Quantity(
    name="test_loss",
    meaning="the same on the test points",
    title="test loss R(αh)",
    unit=OF_LOSS,
    of=PATHS,
    absent=None,
    compared="test_loss",
    numbers=(
        Number(name="final_test_loss", words="loss on the test points", how=reductions.final),
        Number(
            name="best_test_loss",
            words="smallest recorded loss on the test points",
            how=reductions.smallest,
            of=MODELS,
        ),
    ),
)
TRAIN_ERROR = Quantity(
    name="train_error",
    meaning="share of training points with y·f ≤ 0 (or another class on top); null for real "
    "targets",
    title="training error",
    unit=SHARE,
    log=False,
    of=PATHS,
    absent=None,
    compared="train_error",
    numbers=(
        Number(
            name="final_train_error",
            words="share of misclassified training points",
            how=reductions.final,
        ),
    ),
)
TEST_ERROR = Quantity(
    name="test_error",
    meaning="the same share of the test points",
    title="test error",
    unit=SHARE,
    log=False,
    of=PATHS,
    absent=None,
    compared="test_error",
    numbers=(
        Number(
            name="final_test_error",
            words="share of misclassified test points",
            how=reductions.final,
            levels=(0.1,),
        ),
    ),
)
DISPLACEMENT = Quantity(
    name="displacement",
    meaning="‖w − w₀‖",
    title="displacement ‖w − w₀‖",
    unit=WEIGHTS,
    of=PATHS,
    absent=[],
    compared="displacement",
    numbers=(
        Number(
            name="final_displacement",
            words="distance ‖w − w₀‖ moved in parameter space",
            how=reductions.final,
        ),
    ),
)
STOP_TIME = Quantity(
    name="stop_time",
    meaning="flow time at which the margin was met (`stop=margins`)",
    unit=FLOW_TIME,
    of=PATHS,
    at=RUN,
    absent=None,
    numbers=(
        Number(
            name="stop_time",
            words="time at which all margins are met",
            how=reductions.once,
            of=MODELS,
        ),
    ),
)
HALF_TIME = Quantity(
    name="half_time",
    meaning="flow time at which R(αh) was first below half of what it was",
    unit=FLOW_TIME,
    of=PATHS,
    at=RUN,
    absent=None,
    numbers=(
        Number(
            name="half_time",
            words="time at which the loss is half of the initial one",
            how=reductions.once,
            of=MODELS,
        ),
        Number(
            name="scaled_half_time",
            words="half_time / (√m·α)",
            how=_scaled,
            of=("nonlinear",),
        ),
    ),
)
DISPLACEMENT_BY_LAYER = Quantity(
    name="displacement_by_layer",
    meaning="‖w − w₀‖ of each layer; `layers` names them",
    unit=WEIGHTS,
    of=PATHS,
    axes=("layers",),
)
OUTPUT_CHANGE = Quantity(
    name="output_change",
    meaning="rms of αh(t) − αh(0) over the training points",
    unit=OF_OUTPUTS,
    of=PATHS,
)
MARGIN = Quantity(
    name="margin",
    meaning="min over the training points of y·f, for labels ±1",
    title="min y·αh",
    unit=OF_OUTPUTS,
    log=False,
    of=PATHS,
    numbers=(
        Number(
            name="final_margin",
            words="smallest margin y·f of a training point",
            how=reductions.final,
            of=MODELS,
        ),
    ),
)
OUTPUTS = Quantity(
    name="outputs",
    meaning="αh, αh̄ and αh̃ on the training points, (n, k), where n·k ≤ 8",
    unit=OF_OUTPUTS,
    of=PATHS,
    axes=("points", "outputs"),
)
TEST_OUTPUTS = Quantity(
    name="test_outputs",
    meaning="αh and αh̄ on the first 1,000 test points, (n', k), single precision, as last recorded",
    unit=OF_OUTPUTS,
    of=MODELS,
    at=RUN,
    kind=ARRAY,
    axes=("test points", "outputs"),
)
LAYERS = Quantity(
    name="layers", meaning="names of the layers that weights are counted by", at=RUN, kind=WORDS
)

QUANTITIES = (
    *(STATUS, TRAIN_LOSS, TEST_LOSS, TRAIN_ERROR, TEST_ERROR, DISPLACEMENT, STOP_TIME, HALF_TIME),
    *(DISPLACEMENT_BY_LAYER, LAYERS, OUTPUT_CHANGE, MARGIN, OUTPUTS, TEST_OUTPUTS),
)
