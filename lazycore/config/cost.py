"""What a run, or a sweep, will cost, known before it is queued. No torch.

The counts come from the specs, the two rates from measurements on one slow core; a
faster machine, or a GPU, only makes the estimate cautious.
"""

from dataclasses import dataclass, replace

from lazycore.config import refreshing, spec
from lazycore.config.moments import RECORDS
from lazycore.config.run import RunConfig
from lazycore.config.sweep import Cell, SweepConfig
from lazycore.errors import BudgetError

FLOPS_PER_SECOND = 1.5e10
SECONDS_PER_CALL = 1.5e-4
LARGEST_KERNEL = 3000
"""Outputs n·k up to which the n·k × n·k kernel is formed: its eigenvectors take seconds."""

LARGEST_NOTED = 1000
"""Outputs, at most, of the kernels that are noted of the stages of iterative linearisation."""

LARGEST_FEATURES = 2**27
"""Numbers that the kept features of a convolutional network may be; else they are products."""
KERNEL_WORK = 1e10
"""Multiply-adds, at most, of a kernel that is formed again and again: about a second."""
KERNEL_TIMES, FROZEN_TIMES, FROZEN_STEPS, LARGEST_FROZEN = 41, 11, 1000, 500
"""Times at which kernels are kept, and two models trained with each, in so many steps, of
so many outputs at most."""
USUAL_EVALUATIONS = 2000
"""Evaluations that are counted of a dynamics whose steps are found out on the way."""
CALLS_PER_STEP = 20
"""Small steps of a network, in units of `SECONDS_PER_CALL`, that a convolutional one has."""
CONVOLUTIONS_PER_SECOND = 6e9
"""Operations of float64 convolutions: fewer than of large products, more with many channels."""
SECONDS_PER_WEIGHT = 6e-8
"""What a step of both models takes for each weight, whatever it is multiplied with."""


@dataclass(frozen=True)
class Cost:
    """Estimated seconds and bytes of a run, and seconds of one evaluation of both gradients."""

    seconds: float
    bytes: float
    evaluation_seconds: float


@dataclass(frozen=True)
class Budget:
    """What one run may cost: seconds, bytes, and evaluations of an adaptive integrator."""

    seconds: float = 1800.0
    bytes: float = 4e9
    evaluations: int = 300_000

    def evaluations_of(self, cost: Cost) -> int:
        """Return how many evaluations an adaptive run may take; fixed by the config alone."""
        return max(100, min(self.evaluations, int(self.seconds / cost.evaluation_seconds)))


DEFAULT = Budget()
SWEEP_SECONDS = 8 * 3600.0
"""What the runs of one sweep may cost in all, one after another (with the twins of each run, which
tell how far rounding carries it): side by side they are faster."""
COSTLESS = ("alpha", "alpha_sqrt_width", "init_scale")
COSTLESS += ("seed", "data_seed", "init_seed", "batch_seed")
"""Axes along which the estimate of a run does not change."""


def estimate(config: RunConfig) -> Cost:
    """Return the estimated cost of `config`, from counts only."""
    values = config.resolve().to_dict()
    task = spec.find("task", values["task"]).SPEC.facts
    loss = spec.find("loss", values["loss"]).SPEC.facts
    model = spec.find("model", values["model"]).SPEC.facts
    dynamics = spec.find("dynamics", values["dynamics"]).SPEC.facts
    n, n_test, d = values["n_train"], values["n_test"], task["inputs"](values)
    k = spec.output_count(values)
    p, operations = model["parameters"](values, d, k), model["operations"](values, d, k)
    hidden = (values["width"] or 1) * (values["depth"] or 1)
    third = _refreshed_seconds(values, n, k, p)
    if "units" in model:
        units = model["units"](values, d, k)
        cost = _convolutional(values, (n, n_test, d, k), p, operations, units)
        return replace(cost, seconds=cost.seconds + third)
    points = values["batch_size"] or n
    in_function_space = n * k <= LARGEST_KERNEL
    tangent_step = 2.0 * (n * k) ** 2 if in_function_space else 4.0 * points * k * p
    gradient = 6.0 * points * operations / FLOPS_PER_SECOND
    evaluation = SECONDS_PER_CALL + gradient + tangent_step / FLOPS_PER_SECOND
    if values["steps"]:  # the run's twin takes as many
        evaluation += 0.5 * SECONDS_PER_CALL + gradient
    size = min(n * k, p)
    closed_form = 25.0 * size**3 if in_function_space and loss["quadratic"] else 0.0
    recording = RECORDS * (8.0 * (n + n_test) * operations + 4.0 * min(n, 500) ** 2 * hidden)
    evaluations = dynamics["evaluations"](values) or USUAL_EVALUATIONS
    seconds = evaluations * evaluation + (closed_form + recording) / FLOPS_PER_SECOND + third
    seconds += _keeping(values, n * k)
    kernel = 3.0 * (n * k) ** 2 if in_function_space else 0.0
    numbers = 20.0 * p + 4.0 * (n + n_test) * (d + k + hidden * (1 + k)) + kernel
    return Cost(seconds=seconds, bytes=8.0 * numbers, evaluation_seconds=evaluation)


def _keeping(values: spec.Values, outputs: int) -> float:
    """Return the seconds that kept kernels take: some forty, some with two frozen models."""
    if values["keep"] != "kernels":
        return 0.0
    size = min(outputs, LARGEST_FROZEN)
    training = 2.0 * FROZEN_STEPS * (SECONDS_PER_CALL + 2.0 * size**2 / FLOPS_PER_SECOND)
    trainings = FROZEN_TIMES * training if size == outputs else 0.0
    return trainings + KERNEL_TIMES * 25.0 * size**3 / FLOPS_PER_SECOND


def _refreshed_seconds(values: spec.Values, n: int, k: int, p: int) -> float:
    """Return the seconds of iterative linearisation: of all its stages, each by as many products
    with its features as it has steps, or by its kernel where that is less; 0 for no such path."""
    every = values.get("refresh_every")
    if not every:
        return 0.0
    count = refreshing.updates(values["steps"], every)
    points = values["batch_size"] or n
    stage = min(every, values["steps"]) * (
        SECONDS_PER_CALL + 4.0 * points * k * p / FLOPS_PER_SECOND
    )
    if not values["batch_size"] and not values["momentum"] and n * k <= LARGEST_KERNEL:
        size = min(n * k, p)
        if spec.find("loss", values["loss"]).SPEC.facts["quadratic"]:
            solved = 25.0 * size**3
        else:
            solved = min(every, values["steps"]) * 2.0 * (n * k) ** 2
        stage = min(stage, ((n * k) ** 2 * p + solved) / FLOPS_PER_SECOND)
    outputs = min(n * k, LARGEST_NOTED)
    note = (outputs**2 * p + 25.0 * min(outputs, p) ** 3) / FLOPS_PER_SECOND
    start = CALLS_PER_STEP * SECONDS_PER_CALL + 6.0 * n * k * p / FLOPS_PER_SECOND
    notes = count if values.get("refresh_cap") == "stable" else min(count, refreshing.NOTED)
    return count * (start + stage) + notes * note


def _convolutional(
    values: spec.Values, sizes: tuple[int, int, int, int], p: int, operations: int, units: int
) -> Cost:
    """Return the cost of a convolutional network: its step is three passes, that of its
    linearisation up to six, and its kernel is formed on few points.

    sizes: n, n_test, d and k. units: hidden units. The features of all points are kept where
    they take no more than `LARGEST_FEATURES` numbers, else made anew at each step.
    """
    n, n_test, d, k = sizes
    stochastic, points = bool(values["batch_size"]), values["batch_size"] or n
    in_function_space = n * k <= LARGEST_KERNEL and not stochastic
    step = (6.0 if in_function_space else 18.0) * points * operations
    if values["steps"] and not stochastic:  # the run's twin takes as many
        step += 6.0 * points * operations
    if in_function_space:
        step += 2.0 * (n * k) ** 2
    dynamics = spec.find("dynamics", values["dynamics"]).SPEC.facts
    steps = dynamics["evaluations"](values) or USUAL_EVALUATIONS
    most = max(20, 3 * steps * points // (n + n_test)) if stochastic else RECORDS
    records = min(most, RECORDS)
    recording = records * 8.0 * (n + n_test) * operations
    kernels = 0.4 * records * KERNEL_WORK + (2.0 * (n * k) ** 2 * p if in_function_space else 0.0)
    evaluation = SECONDS_PER_CALL * CALLS_PER_STEP + SECONDS_PER_WEIGHT * p
    evaluation += step / CONVOLUTIONS_PER_SECOND
    seconds = steps * evaluation + recording / CONVOLUTIONS_PER_SECOND
    seconds += kernels / FLOPS_PER_SECOND + _keeping(values, n * k)
    wanted = [part * units * (k + 9) for part in (n, n_test)]
    features = sum(count for count in wanted if count <= LARGEST_FEATURES)
    numbers = 20.0 * p + 4.0 * (n + n_test) * (d + k) + 12.0 * points * units + features
    numbers += 3.0 * (n * k) ** 2 if in_function_space else 0.0
    return Cost(seconds=seconds, bytes=8.0 * numbers, evaluation_seconds=evaluation)


def check(config: RunConfig, budget: Budget = DEFAULT) -> Cost:
    """Return the estimated cost; `BudgetError` with what to lower when it is over the budget."""
    cost = estimate(config)
    values = config.resolve().to_dict()
    if cost.bytes > budget.bytes:
        raise BudgetError(
            f"this run would need about {cost.bytes / 1e9:.1f} GB, the limit is "
            f"{budget.bytes / 1e9:.1f} GB: lower n_train={values['n_train']} or {_size(values)}."
        )
    if cost.seconds > budget.seconds:
        steps = values["steps"]
        what = f"steps={steps:,}" if steps else _size(values)
        rest = cost.seconds - (steps or 0) * cost.evaluation_seconds
        nearest = int(0.99 * (budget.seconds - rest) / cost.evaluation_seconds) if steps else 0
        cure = (
            f"lower {what} (about {nearest:,} fit)" if nearest > 0 else f"lower {what} or n_train"
        )
        raise BudgetError(
            f"this run would take about {duration(cost.seconds)}, the limit is "
            f"{duration(budget.seconds)}: {cure}."
        )
    return cost


def _size(values: spec.Values) -> str:
    """Return the field that says how large the model is, with its value."""
    name = "width" if values["width"] or "width_multiplier" not in values else "width_multiplier"
    return f"{name}={values[name]}"


def check_sweep(
    config: SweepConfig, budget: Budget = DEFAULT, seconds: float = SWEEP_SECONDS
) -> float:
    """Return the estimated seconds of a sweep, its runs one after another.

    Raises `BudgetError` when a cell alone is over `budget`, or all of them are over `seconds`.
    Cells that differ in nothing that costs are estimated once.
    """
    shapes: dict[tuple, list[Cell]] = {}
    for cell in config.cells:
        key = tuple(value for name, value in cell.values.items() if name not in COSTLESS)
        shapes.setdefault(key, []).append(cell)
    total = 0.0
    for cells in shapes.values():
        try:
            total += len(cells) * check(cells[0].config, budget).seconds
        except BudgetError as error:
            raise BudgetError(f"in the cell {cells[0].name}, {error}") from error
    if total > seconds:
        count = len(config.cells)
        raise BudgetError(
            f"these {count:,} cells would take about {duration(total)} one after another, the "
            f"limit is {duration(seconds)}: lower the number of cells (about "
            f"{int(count * seconds / total):,} fit) or what each one costs."
        )
    return total


def duration(seconds: float) -> str:
    """Return a duration in the unit a person would use."""
    for unit, length in (("years", 3.15e7), ("days", 86400.0), ("hours", 3600.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}"
    if seconds >= 90.0:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds:.0f} s" if seconds >= 1.0 else "a second"
