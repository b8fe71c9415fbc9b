"""Written by `python -m lazycore.config.stub`: change `run.py` or the fields instead."""

from collections.abc import Mapping
from typing import Any, ClassVar

from lazycore.config.known import all_fields as all_fields
from lazycore.config.known import readings as readings
from lazycore.config.resolved import fields_read as fields_read
from lazycore.config.resolved import pinned_fields as pinned_fields

ENGINE_VERSION: int

FEW: int

class RunConfig:
    """One run, checked where it is born; a field left at None is not given."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    task: str | None
    """what is learned. A text: cifar10, circles, digits, emnist, fashion_mnist, matrix_completion, mnist, ode_fit, own, parity, plane_target, sine, stripe, teacher, vector; teacher when left out."""
    model: str | None
    """the network h(w, x). A text: cnn, figure_eight, fully_connected, matrix_factorization, ode, quadratic, resnet18, strided_cnn, two_layer, vgg11; two_layer when left out; matrix_factorization for matrix_completion; ode for ode_fit; figure_eight for plane_target; quadratic for vector."""
    loss: str | None
    """what is made small, R. A text: cross_entropy, logistic, quadratic_hinge, soft_hinge, square, weighted_square; square when left out."""
    dynamics: str | None
    """how the weights move. A text: adaptive_euler, flow, gd, population, sgd; flow when left out; sgd for cnn, resnet18, vgg11."""
    alpha: float | None
    """output scale α: large is lazy, small is rich. A number from 1e-09 to 1e+12; 1 when left out."""
    seed: int | None
    """drives all randomness. A whole number from 0 to 4294967295; 0 when left out."""
    data_seed: int | None
    """seed of the data alone. A whole number from 0 to 4294967295; set by the other fields when left out."""
    init_seed: int | None
    """seed of the initial weights alone. A whole number from 0 to 4294967295; set by the other fields when left out."""
    dtype: str | None
    """precision; float32 takes half the memory and has seven digits, of the gap too. A text: float64, float32; float64 when left out."""
    keep: str | None
    """kernels: also the tangent kernel over time, and what is learned with it frozen. A text: curves, kernels; curves when left out."""
    n_train: int | None
    """training points n / observed entries n; left out: 30 % of all / training points: one. A whole number from 1 to 100000; 100 when left out; set by the other fields for matrix_completion, own; 30 for ode_fit; 1 for plane_target, vector; 20 for sine; 50 for resnet18."""
    n_test: int | None
    """test points (0: none) / unobserved entries that are tested; left out: 200 at most / test points: none. A whole number from 0 to 100000; 200 when left out; set by the other fields for matrix_completion, own; 100 for ode_fit, sine; 0 for plane_target, vector; 20 for resnet18; 50 for vgg11."""
    labels: str | None
    """parity of the class as ±1, or the ten classes. A text: parity, ten; parity when left out; ten for cnn, resnet18, vgg11."""
    noise: float | None
    """probability that a training label is flipped / standard deviation of the noise on training targets / standard deviation of the noise on real targets, as they are trained on (`target_scaling`), or probability that a training label is flipped. A number from 0 to 100; 0 when left out; 0.05 for ode_fit."""
    centering: str | None
    """whose mean is removed: of the training images, or with the test images as in the paper of Geiger et al. 2020. A text: train, pool; train when left out."""
    pca: int | None
    """number of first principal components kept, each of variance 1; null: the pixels. A whole number from 1 to 3072; null when left out."""
    emnist_split: str | None
    """which of EMNIST; labels=ten are the letters A to J, parity is of all 26. A text: digits, letters; digits when left out."""
    matrix_size: int | None
    """rows and columns N. A whole number from 2 to 300; 20 when left out."""
    matrix_rank: int | None
    """rank of the matrix to be completed. A whole number from 1 to 300; 2 when left out."""
    data_file: str | None
    """your file, by its name. A text: the name of a file in the folder `own` of the data folder: letters, digits, _ . and -, ending in .npz or .csv; example.csv when left out."""
    data_hash: str | None
    """hash of the file's content; left out: as it is now. A text: the first 16 hex digits of the SHA-256 of the file; set by the other fields when left out."""
    data_missing: str | None
    """rows with missing values are refused, left out, or take the mean of the training points; a row without a target is left out. A text: refuse, drop_rows, mean; refuse when left out."""
    data_without: str | None
    """columns of the table that are left out, as in id+date. A text: names or numbers of columns with + between them, or none; none when left out."""
    data_target: str | None
    """the column to be learned; left out: the one whose name says so, else the last. A text: the name of a column, its number from 1, first or last; set by the other fields when left out."""
    data_shape: str | None
    """shape of a point of the file; left out: as it is. A text: the numbers of a point, or channels x height x width, as in 5 or 3x32x32; set by the other fields when left out."""
    data_classes: int | None
    """classes of the targets, 0 for real numbers; left out: as the file has them. A whole number from 0 to 100; set by the other fields when left out."""
    target_scaling: str | None
    """standard: real targets are taken without the mean of the training targets, in units of their standard deviation. A text: standard, none; standard when left out."""
    dim: int | None
    """input dimension d. A whole number from 1 to 100000; 10 when left out."""
    parity_order: int | None
    """signs whose product is the label, k of the d. A whole number from 1 to 100; set by the other fields when left out."""
    target_1: float | None
    """first coordinate of the target. A number from -1e+06 to 1e+06; -1 when left out."""
    target_2: float | None
    """second coordinate of the target. A number from -1e+06 to 1e+06; 1.5 when left out."""
    target_size: int | None
    """entries k of the target vector. A whole number from 1 to 1000; 4 when left out."""
    target_norm: float | None
    """length ‖y*‖ of the target vector. A number from 1e-09 to 1e+09; 1 when left out."""
    width_multiplier: float | None
    """factor on the channels of every convolution. A number from 0.01 to 64; 1 when left out."""
    init_scale: float | None
    """τ, multiplies every initial weight. A number from 1e-09 to 1e+09; 1 when left out."""
    zero_output: str | None
    """how h(w₀) is made zero: subtracted, by paired neurons, or not at all. A text: none, centered, symmetrized; centered when left out."""
    depth: int | None
    """hidden layers L. A whole number from 1 to 50; 2 when left out."""
    activation: str | None
    """the nonlinearity σ. A text: linear, relu, softplus, swish, tanh; relu when left out."""
    activation_gain: str | None
    """unit: σ scaled so that E σ(z)² = 1 for z ~ N(0, 1). A text: none, unit; none when left out."""
    bias: str | None
    """biases: absent, starting at 0, or N(0, 1). A text: none, zero, normal; none when left out; normal for circles, ode_fit, sine."""
    bias_gain: float | None
    """factor with which each bias enters. A number from 1e-09 to 1e+09; 1 when left out."""
    width: int | None
    """hidden units per layer m / rank m of the factorisation / channels h of every convolution. A whole number from 1 to 100000; 100 when left out; 10 for matrix_factorization; 16 for strided_cnn."""
    scaling: str | None
    """ntk: each layer over √fan-in; plain: none; mean_field: 1/m at the output. A text: ntk, plain, mean_field; ntk when left out."""
    weights: int | None
    """weights p of the model: at least k is over-parameterised. A whole number from 1 to 2000; 12 when left out."""
    bend: float | None
    """bound on Lip(Dh): 0 is a linear model. A number from 0 to 1e+06; 1 when left out."""
    activation_beta: float | None
    """β of softplus and swish; ∞ would be ReLU. A number from 0.001 to 1000; 5 when left out; 1 for swish."""
    margin: float | None
    """m, the y f from which on a point is fitted. A number from 1e-06 to 1e+06; 1 when left out."""
    loss_beta: float | None
    """β of the soft hinge; ∞ would be max(0, m − y f). A number from 0.001 to 10000; 20 when left out."""
    time: float | None
    """length T of the run; null: 200 / (curvature of the loss · λ_max of the kernel). In flow time. A number from 1e-12 to 1e+12; null when left out."""
    gradient_tolerance: float | None
    """ε_∇, the relative change of the gradient in a step. A number from 1e-10 to 0.5; 0.01 when left out."""
    output_tolerance: float | None
    """ε_out, the largest change of an output in a step. A number from 1e-10 to 10; 0.1 when left out."""
    stop: str | None
    """margins: a model ends when y f ≥ margin on every training point; the run then has no end of its own, and time may stay null: 10⁸ / (curvature of the loss · λ_max). A text: none, margins; none when left out."""
    tolerance: float | None
    """aimed error of the gap, as a share of the largest gap. A number from 1e-10 to 0.1; 0.001 when left out."""
    steps: int | None
    """number of steps. A whole number from 1 to 1000000000000000; 1000 when left out; 200 for cnn; 5 for resnet18; 20 for vgg11."""
    step_size: float | None
    """length η of a step; null: 1 / (curvature of the loss · λ_max of the tangent kernel). In flow time. A number from 1e-15 to 1e+15; null when left out; 0.03 for cnn; 0.05 for resnet18; 1 for vgg11."""
    momentum: float | None
    """μ in v ← μv + g, w ← w − ηv; time stays Σ η, 1 − μ of the flow's. A number from 0 to 0.999999; 0 when left out; 0.9 for cnn, resnet18, vgg11."""
    refresh_every: int | None
    """steps K for which tangent features are kept (1: gradient descent; null: no such path). In steps. A whole number from 1 to 1000000000000000; null when left out."""
    refresh_solver: str | None
    """a stage is K steps on its linear model, or one damped Gauss–Newton step, μ = n/(ηK). A text: steps, levenberg_marquardt; steps when left out."""
    refresh_schedule: str | None
    """stages of K steps each, or as many that grow longer in equal increments. A text: uniform, front_loaded; uniform when left out."""
    refresh_cap: str | None
    """stable: no stage steps further than 1/(curvature of the loss · λ_max of its kernel). A text: none, stable; none when left out."""
    first_layer_rate: float | None
    """factor on the step of the first layer's weights. A number from 1e-06 to 1e+06; 1 when left out."""
    batch_size: int | None
    """points per mini-batch, shared by both models. A whole number from 1 to 100000; set by the other fields when left out."""
    batch_seed: int | None
    """seed of the mini-batches alone. A whole number from 0 to 4294967295; set by the other fields when left out."""
    schedule: str | None
    """step size by epoch: constant η, or η/(1 + βt) after t epochs. A text: constant, inverse_time; constant when left out; inverse_time for cnn, resnet18, vgg11."""
    schedule_decay: float | None
    """β of η/(1 + βt). In 1/epochs. A number from 0 to 1e+06; 0.333333 when left out."""
    augmentation: str | None
    """standard: random crops, and mirror images where the task allows them. A text: none, standard; none when left out."""
    extra: tuple[tuple[str, Any], ...]

    def __init__(
        self,
        /,
        *,
        task: str | None = None,
        model: str | None = None,
        loss: str | None = None,
        dynamics: str | None = None,
        alpha: float | None = None,
        seed: int | None = None,
        data_seed: int | None = None,
        init_seed: int | None = None,
        dtype: str | None = None,
        keep: str | None = None,
        n_train: int | None = None,
        n_test: int | None = None,
        labels: str | None = None,
        noise: float | None = None,
        centering: str | None = None,
        pca: int | None = None,
        emnist_split: str | None = None,
        matrix_size: int | None = None,
        matrix_rank: int | None = None,
        data_file: str | None = None,
        data_hash: str | None = None,
        data_missing: str | None = None,
        data_without: str | None = None,
        data_target: str | None = None,
        data_shape: str | None = None,
        data_classes: int | None = None,
        target_scaling: str | None = None,
        dim: int | None = None,
        parity_order: int | None = None,
        target_1: float | None = None,
        target_2: float | None = None,
        target_size: int | None = None,
        target_norm: float | None = None,
        width_multiplier: float | None = None,
        init_scale: float | None = None,
        zero_output: str | None = None,
        depth: int | None = None,
        activation: str | None = None,
        activation_gain: str | None = None,
        bias: str | None = None,
        bias_gain: float | None = None,
        width: int | None = None,
        scaling: str | None = None,
        weights: int | None = None,
        bend: float | None = None,
        activation_beta: float | None = None,
        margin: float | None = None,
        loss_beta: float | None = None,
        time: float | None = None,
        gradient_tolerance: float | None = None,
        output_tolerance: float | None = None,
        stop: str | None = None,
        tolerance: float | None = None,
        steps: int | None = None,
        step_size: float | None = None,
        momentum: float | None = None,
        refresh_every: int | None = None,
        refresh_solver: str | None = None,
        refresh_schedule: str | None = None,
        refresh_cap: str | None = None,
        first_layer_rate: float | None = None,
        batch_size: int | None = None,
        batch_seed: int | None = None,
        schedule: str | None = None,
        schedule_decay: float | None = None,
        augmentation: str | None = None,
        extra: tuple[tuple[str, Any], ...] = (),
    ) -> None: ...
    def _repr_html_(self) -> str: ...
    def given(self) -> dict[str, Any]:
        """Return the fields that were given, by name."""
    def resolve(self) -> RunConfig:
        """Return the same run with every default written out and nothing left that is not read."""
    def to_dict(self) -> dict[str, Any]:
        """Return every field by name, null where not given."""
    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunConfig:
        """Return the config with these fields.

        values: by name; None means not given.
        Raises `ConfigError` for what is no mapping, and for a name that no file reads, with the
        closest one that exists.
        """
    @classmethod
    def from_text(cls, values: Mapping[str, str]) -> RunConfig:
        """Return the config that a link or a command line spells out, field by field.

        values: texts by name; a number is its own text.
        Raises `ConfigError` for a name that no file reads, and for values that are no text.
        """
    @staticmethod
    def parse_field(name: str, text: str) -> Any:
        """Return what `text` stands for as a value of the field `name`.

        Several files can read one name with ranges of their own: here text becomes a
        number or stays a word, the chosen file's range is checked with the whole config.
        Raises `ConfigError` for a name that no file reads, and for text that is no number.
        """
    def to_text(self) -> dict[str, str]:
        """Return the given fields as text; `from_text` turns it back into an equal config."""
    @property
    def digest(self) -> str:
        """Sixteen hex digits that name this run, stable across processes.

        Of the resolved config; `seed` counts through the seeds derived from it, so that runs
        which differ in a seed they do not use are one run.
        """
