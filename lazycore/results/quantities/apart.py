"""How far the models are apart."""

import math

import numpy as np

from lazycore.results.quantities import reductions
from lazycore.results.quantities.declared import (
    MODELS,
    NO_UNIT,
    OF_OUTPUTS,
    SHARE,
    WEIGHTS,
    Number,
    Quantity,
    Record,
)
from lazycore.results.quantities.models import OUTPUT_CHANGE, TEST_OUTPUTS
from lazycore.results.quantities.thresholds import LAZY_GAP

PLACE = 2


def _relative(record: Record, key: str) -> float:
    change = reductions.largest(record, OUTPUT_CHANGE.key("linearized"))
    return reductions.largest(record, key) / change if change > 0 else math.nan


def _agreement(record: Record, key: str) -> float:
    # Of the last outputs of both: with stop=margins they do not end at one time.
    names = [TEST_OUTPUTS.key(model) for model in MODELS]
    diverged = "diverged" in [record.latest.get(f"{model}.status") for model in MODELS]
    if diverged or not {*names} <= {*record.latest} or key not in record.series:
        return math.nan
    signs = [np.sign(record.latest[name]) for name in names]
    return float(np.mean(signs[0] == signs[1]))


GAP = Quantity(
    name="gap.train_output",
    meaning="rms over the training points of αh(w) − αh̄(w̄)",
    title="output gap, rms",
    unit=OF_OUTPUTS,
    absent=[],
    compared="gap",
    numbers=(
        Number(
            name="largest_gap",
            words="largest output gap",
            how=reductions.largest,
            label="Largest gap",
            help="The largest distance between the outputs of both models, in the units of the "
            "outputs: the root of the mean square over the training points.",
        ),
        Number(name="final_gap", words="output gap at the end", how=reductions.final),
        Number(
            name="relative_gap",
            words="largest gap / largest change of αh̄",
            how=_relative,
            unit=NO_UNIT,
            label="Gap, of the way",
            help="The largest distance between the outputs of the network and of its "
            "linearisation, as a share of how far the linearisation's outputs moved. Lazy is below "
            f"{LAZY_GAP:.0%}.",
            form=".2%",
            levels=(LAZY_GAP,),
        ),
    ),
)
TEST_GAP = Quantity(
    name="gap.test_output",
    meaning="the same over the test points",
    title="output gap on the test points, rms",
    unit=OF_OUTPUTS,
    absent=None,
    numbers=(
        Number(name="final_test_gap", words="output gap on the test points", how=reductions.final),
    ),
)
PARAMETER_GAP = Quantity(
    name="gap.parameter",
    meaning="‖w − w̄‖",
    title="parameter gap ‖w − w̄‖",
    unit=WEIGHTS,
    absent=[],
    compared="parameter_gap",
    numbers=(
        Number(name="final_parameter_gap", words="parameter gap ‖w − w̄‖", how=reductions.final),
    ),
)
SIGN_AGREEMENT = Quantity(
    name="sign_agreement",
    meaning="share of test points at which αh and αh̄ have one sign, for labels ±1",
    unit=SHARE,
    log=False,
    numbers=(
        Number(
            name="sign_agreement",
            words="share of test points on which both models agree",
            how=_agreement,
        ),
    ),
)

QUANTITIES = (GAP, TEST_GAP, PARAMETER_GAP, SIGN_AGREEMENT)
