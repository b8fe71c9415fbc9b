"""The fields that more than one file reads, each said once.

A file with another default of its own takes `dataclasses.replace(WIDTH, default=…)`.
"""

import numpy as np

from lazycore.config import spec
from lazycore.config.spec import Field, Values


def _derived_seed(position: int):
    def seed_from(values: Values) -> int:
        return int(np.random.SeedSequence(values["seed"]).generate_state(3)[position])

    return seed_from


SEED_LIMIT = 2**32 - 1

# ── always read ──────────────────────────────────────────────────────────────────────────
SELECTORS = (
    Field(name="task", kind=str, default="teacher", meaning="what is learned"),
    Field(name="model", kind=str, default="two_layer", meaning="the network h(w, x)"),
    Field(name="loss", kind=str, default="square", meaning="what is made small, R"),
    Field(name="dynamics", kind=str, default="flow", meaning="how the weights move"),
)
ALPHA = Field(
    name="alpha",
    default=1.0,
    low=1e-9,
    high=1e12,
    log=True,
    meaning="output scale α: large is lazy, small is rich",
)
SEED = Field(
    name="seed", kind=int, default=0, low=0, high=SEED_LIMIT, meaning="drives all randomness"
)
DATA_SEED = Field(
    name="data_seed",
    kind=int,
    default=_derived_seed(0),
    low=0,
    high=SEED_LIMIT,
    meaning="seed of the data alone",
)
INIT_SEED = Field(
    name="init_seed",
    kind=int,
    default=_derived_seed(1),
    low=0,
    high=SEED_LIMIT,
    meaning="seed of the initial weights alone",
)
DTYPE = Field(
    name="dtype",
    kind=str,
    default="float64",
    choices=("float64", "float32"),
    meaning="precision; float32 takes half the memory and has seven digits, of the gap too",
)
KEEP = Field(
    name="keep",
    kind=str,
    default="curves",
    choices=("curves", "kernels"),
    added=True,
    meaning="kernels: also the tangent kernel over time, and what is learned with it frozen",
)
GENERAL = (ALPHA, SEED, DATA_SEED, INIT_SEED, DTYPE, KEEP)

# ── read by tasks ────────────────────────────────────────────────────────────────────────
N_TRAIN = Field(
    name="n_train", kind=int, default=100, low=1, high=100_000, meaning="training points n"
)
N_TEST = Field(
    name="n_test", kind=int, default=200, low=0, high=100_000, meaning="test points (0: none)"
)
DIM = Field(name="dim", kind=int, default=10, low=1, high=100_000, meaning="input dimension d")
TARGET_NOISE = Field(
    name="noise",
    default=0.0,
    low=0.0,
    high=100.0,
    meaning="standard deviation of the noise on training targets",
)
LABEL_NOISE = Field(
    name="noise",
    default=0.0,
    low=0.0,
    high=1.0,
    meaning="probability that a training label is flipped",
)
LABELS = Field(
    name="labels",
    kind=str,
    default="parity",
    choices=("parity", "ten"),
    meaning="parity of the class as ±1, or the ten classes",
)
CENTERING = Field(
    name="centering",
    kind=str,
    default="train",
    choices=("train", "pool"),
    added=True,
    meaning="whose mean is removed: of the training images, or with the test images as in the "
    "paper of Geiger et al. 2020",
)
PCA = Field(
    name="pca",
    kind=int,
    low=1,
    high=3072,
    optional=True,
    added=True,
    meaning="number of first principal components kept, each of variance 1; null: the pixels",
)

# ── read by models ───────────────────────────────────────────────────────────────────────
ACTIVATION = Field(name="activation", kind=str, default="relu", meaning="the nonlinearity σ")
ACTIVATION_GAIN = Field(
    name="activation_gain",
    kind=str,
    default="none",
    choices=("none", "unit"),
    meaning="unit: σ scaled so that E σ(z)² = 1 for z ~ N(0, 1)",
)
ACTIVATION_BETA = Field(
    name="activation_beta",
    default=5.0,
    low=1e-3,
    high=1e3,
    log=True,
    meaning="β of softplus and swish; ∞ would be ReLU",
)
WIDTH = Field(
    name="width",
    kind=int,
    default=100,
    low=1,
    high=100_000,
    log=True,
    meaning="hidden units per layer m",
)
DEPTH = Field(name="depth", kind=int, default=2, low=1, high=50, meaning="hidden layers L")
INIT_SCALE = Field(
    name="init_scale",
    default=1.0,
    low=1e-9,
    high=1e9,
    log=True,
    meaning="τ, multiplies every initial weight",
)
SCALING = Field(
    name="scaling",
    kind=str,
    default="ntk",
    choices=("ntk", "plain", "mean_field"),
    meaning="ntk: each layer over √fan-in; plain: none; mean_field: 1/m at the output",
)
WIDTH_MULTIPLIER = Field(
    name="width_multiplier",
    default=1.0,
    low=0.01,
    high=64.0,
    log=True,
    meaning="factor on the channels of every convolution",
)
ZERO_OUTPUT = Field(
    name="zero_output",
    kind=str,
    default="centered",
    choices=("none", "centered", "symmetrized"),
    meaning="how h(w₀) is made zero: subtracted, by paired neurons, or not at all",
)
BIAS = Field(
    name="bias",
    kind=str,
    default="none",
    choices=("none", "zero", "normal"),
    meaning="biases: absent, starting at 0, or N(0, 1)",
)
BIAS_GAIN = Field(
    name="bias_gain",
    default=1.0,
    low=1e-9,
    high=1e9,
    meaning="factor with which each bias enters",
    when=lambda values: values["bias"] != "none",
)
NETWORK = (ACTIVATION, ACTIVATION_GAIN, BIAS, BIAS_GAIN, WIDTH, INIT_SCALE, SCALING, ZERO_OUTPUT)

# ── read by dynamics ─────────────────────────────────────────────────────────────────────
TIME = Field(
    name="time",
    low=1e-12,
    high=1e12,
    optional=True,
    log=True,
    unit="flow time",
    meaning="length T of the run; null: 200 / (curvature of the loss · λ_max of the kernel)",
)
TOLERANCE = Field(
    name="tolerance",
    default=1e-3,
    low=1e-10,
    high=0.1,
    log=True,
    meaning="aimed error of the gap, as a share of the largest gap",
)
STEPS = Field(
    name="steps", kind=int, default=1000, low=1, high=10**15, log=True, meaning="number of steps"
)
STEP_SIZE = Field(
    name="step_size",
    low=1e-15,
    high=1e15,
    optional=True,
    log=True,
    unit="flow time",
    meaning="length η of a step; null: 1 / (curvature of the loss · λ_max of the tangent kernel)",
)
MOMENTUM = Field(
    name="momentum",
    default=0.0,
    low=0.0,
    high=0.999999,
    meaning="μ in v ← μv + g, w ← w − ηv; time stays Σ η, 1 − μ of the flow's",
)
BATCH_SIZE = Field(
    name="batch_size",
    kind=int,
    default=lambda values: min(32, values["n_train"]),
    low=1,
    high=100_000,
    meaning="points per mini-batch, shared by both models",
)
BATCH_SEED = Field(
    name="batch_seed",
    kind=int,
    default=_derived_seed(2),
    low=0,
    high=SEED_LIMIT,
    meaning="seed of the mini-batches alone",
)
SCHEDULE = Field(
    name="schedule",
    kind=str,
    default="constant",
    choices=("constant", "inverse_time"),
    added=True,
    meaning="step size by epoch: constant η, or η/(1 + βt) after t epochs",
)
SCHEDULE_DECAY = Field(
    name="schedule_decay",
    default=1.0 / 3.0,
    low=0.0,
    high=1e6,
    unit="1/epochs",
    meaning="β of η/(1 + βt)",
    when=lambda values: values["schedule"] == "inverse_time",
)
AUGMENTATION = Field(
    name="augmentation",
    kind=str,
    default="none",
    choices=("none", "standard"),
    added=True,
    meaning="standard: random crops, and mirror images where the task allows them",
    when=lambda values: "image" in spec.find("task", values["task"]).SPEC.facts,
)
STOP = Field(
    name="stop",
    kind=str,
    default="none",
    choices=("none", "margins"),
    added=True,
    meaning="margins: a model ends when y f ≥ margin on every training point; the run then has no "
    "end of its own, and time may stay null: 10⁸ / (curvature of the loss · λ_max)",
    when=lambda values: "margin" in spec.find("loss", values["loss"]).SPEC.facts,
)

# ── read by losses ───────────────────────────────────────────────────────────────────────
MARGIN = Field(
    name="margin",
    default=1.0,
    low=1e-6,
    high=1e6,
    log=True,
    meaning="m, the y f from which on a point is fitted",
)
LOSS_BETA = Field(
    name="loss_beta",
    default=20.0,
    low=1e-3,
    high=1e4,
    log=True,
    meaning="β of the soft hinge; ∞ would be max(0, m − y f)",
)
