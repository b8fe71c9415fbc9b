"""Of the run as a whole, and what is formed when its record is written."""

from lazycore.results.quantities import reductions
from lazycore.results.quantities.declared import (
    FLOW_TIME,
    HEAD,
    OF_OUTPUTS,
    RUN,
    WORD,
    WORDS,
    Number,
    Quantity,
)

PLACE = 5

KAPPA = Quantity(
    name="kappa",
    meaning="(1/α)‖αh(w₀) − y‖ ‖D²h‖/‖Dh‖²; null unless the loss is square and h smooth",
    at=RUN,
    absent=None,
    numbers=(
        Number(
            name="kappa",
            words="laziness κ at w₀",
            how=reductions.once,
            label="κ at the start",
            help="How much the network bends on the way that it has to go (the inverse relative "
            "scale of Chizat et al.). Much below 1 predicts lazy training; it is defined for the "
            "square loss and a smooth activation.",
        ),
    ),
)
NUMERICAL_ERROR = Quantity(
    name="numerical_error",
    meaning="error of the method in the units of the output gap; a gap below it is not a finding",
    unit=OF_OUTPUTS,
    at=RUN,
    absent=None,
    numbers=(
        Number(
            name="numerical_error",
            words="error of the method in the gap",
            how=reductions.once,
            label="Numerical error",
            help="How wrong the gap may be because time goes in steps and numbers are rounded, in "
            "the units of the outputs. A smaller gap is not a finding.",
            form=".1e",
        ),
    ),
)
ROUNDING = Quantity(
    name="rounding",
    meaning="`measured` where what rounding grows to was seen on a twin of the run, `assumed` "
    "where `numerical_error` holds the rounding floor alone",
    at=RUN,
    kind=WORD,
)
DEVICE = Quantity(name="device", meaning="where it was computed", at=RUN, kind=WORD, absent=None)
PARAMETERS = Quantity(
    name="parameters",
    meaning="p, the number of weights",
    at=RUN,
    numbers=(Number(name="parameters", words="number of parameters", how=reductions.once),),
)
ALPHA_SQRT_WIDTH = Quantity(
    name="alpha_sqrt_width",
    meaning="√h α, the variable of the phase diagram, where the model has a width",
    at=RUN,
)
STEP_SIZE = Quantity(
    name="step_size",
    meaning="η as used (chosen from λ_max when not given)",
    unit=FLOW_TIME,
    at=RUN,
)
HORIZON = Quantity(
    name="horizon",
    meaning="the length T as used (chosen from λ_max when not given)",
    unit=FLOW_TIME,
    at=RUN,
    numbers=(Number(name="horizon", words="length of the run", how=reductions.once),),
)
FIRST_TOLERANCE = Quantity(
    name="first_tolerance",
    meaning="the tolerance of a first answer, in full length, that a closer one follows; null of "
    "a whole run",
    at=RUN,
)
DIAGNOSIS = Quantity(
    name="diagnosis",
    meaning="why a run could not go on as asked: `margins not met` by the end of its time; "
    "`rounding`, its outputs moved by no more than that; `kink`, no step was short enough there. "
    "Null for most",
    at=RUN,
    kind=WORD,
)
TARGET_MEAN = Quantity(
    name="target_mean",
    meaning="mean of the training targets of the file, where real targets were standardised "
    "(`target_scaling`): mean + scale · f is in the units of the file",
    at=RUN,
)
TARGET_SCALE = Quantity(
    name="target_scale",
    meaning="their standard deviation: outputs, gaps and their errors are in units of it, losses "
    "in its square",
    at=RUN,
)
NOTES = Quantity(
    name="notes",
    meaning="sentences on what was done otherwise than one might think (`compare`): the dtype, "
    "outputs that are taken away",
    at=RUN,
    kind=WORDS,
)
LEARNED = Quantity(
    name="learned",
    meaning="share of its training loss that a model lost at best, the larger of both models'",
    at=HEAD,
)
VERDICT = Quantity(
    name="verdict",
    meaning="lazy: largest gap < 5 % of the largest output change and kernel change < 0.1; rich: "
    "kernel change > 1; crossover between; undecided: gap below `numerical_error`, neither "
    "model's training loss fell by a tenth (nothing was learned), or a model diverged before it "
    "was rich",
    at=HEAD,
    kind=WORD,
)

QUANTITIES = (
    *(
        VERDICT,
        LEARNED,
        KAPPA,
        NUMERICAL_ERROR,
        ROUNDING,
        DEVICE,
        PARAMETERS,
        ALPHA_SQRT_WIDTH,
        STEP_SIZE,
        HORIZON,
    ),
    *(FIRST_TOLERANCE, DIAGNOSIS, TARGET_MEAN, TARGET_SCALE, NOTES),
)
