"""What a task, model, activation, loss or dynamics says of itself, without torch.

Every file in `tasks/ models/ activations/ losses/ dynamics/` whose name does not start
with an underscore holds a `SPEC`. Config, pages, CLI help and the cost estimate learn what
exists from those alone: one more of anything is one more file, and no list to edit. What
such a file computes, it computes with methods of the tensors it is handed, or imports
torch inside its build function, so that collecting it stays cheap.
"""

import importlib
import math
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from numbers import Real
from types import ModuleType
from typing import Any

from lazycore.config.words import label, sentence
from lazycore.errors import LONGEST_WORD, ConfigError

Values = Mapping[str, Any]
"""The fields of a run by name, as far as they are resolved."""

PACKAGES = {
    "task": "lazycore.tasks",
    "model": "lazycore.models",
    "activation": "lazycore.activations",
    "loss": "lazycore.losses",
    "dynamics": "lazycore.dynamics",
}
"""The fields whose value is the name of a file, and the package those files are in."""


DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
NOT_GIVEN = "null"
"""The text of an optional field that is left to the others, as it is called in their meanings."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a `RunConfig`: its meaning, its range and what it is when not given.

    `default` is a value, or a function of the fields resolved before it. `low` and `high`
    are inclusive. `optional` fields may stay null ("choose for me"). `when` says whether
    the field is read at all, given the fields before it. `added` fields came after there were
    results: at their default (a constant) they leave the digest as it was; where another value
    than the default is what was done before there was the field, at that: `before`. A field of kind
    str takes one of its options or, where it has a `pattern`, any text of that form; `form`
    says it in words. `pinned` fields of a task have defaults that are read from a file, which
    may change: a config holds their values from its birth on; one that holds all but those with a
    `before` is older than these, and has `before` there. `settled` turns a given value
    into the one name for what it means, given it and the fields before it.
    """

    name: str
    meaning: str
    kind: type = float
    default: Any = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    form: str = ""
    optional: bool = False
    log: bool = False
    unit: str = ""
    added: bool = False
    before: Any = None
    pinned: bool = False
    settled: Callable[[Any, Values], Any] | None = None
    when: Callable[[Values], bool] | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """The values a field of names can take, found by collecting files where they are files."""
        return tuple(collect(self.name)) if self.name in PACKAGES else self.choices

    @property
    def allowed(self) -> str:
        """The allowed values, in words for an error message."""
        if self.kind is str:
            return self.form or ", ".join(self.options)
        if self.kind is int:
            return f"a whole number from {self.low:.0f} to {self.high:.0f}"
        return f"a number from {self.low:g} to {self.high:g}"

    @property
    def label(self) -> str:
        """What the field is called on a page."""
        return label(self.name)

    @property
    def help(self) -> str:
        """What the field means, in sentences: its unit, what it takes, its name elsewhere."""
        unit = f" In {self.unit}." if self.unit else ""
        name = f"On the command line and in links it is `{self.name}`."
        return f"{sentence(self.meaning)}{unit} Give {self.allowed}. {name}"

    def check(self, value: Any) -> Any:
        """Return `value` as this field's type, or raise `ConfigError` naming what is allowed."""
        if self.kind is str:
            if isinstance(value, str) and value in self.options:
                return value
            if self.pattern and isinstance(value, str) and re.fullmatch(self.pattern, value):
                return value
        elif isinstance(value, Real) and not isinstance(value, bool):
            within = self.low <= value <= self.high  # type: ignore[operator]  # False for NaN
            if within and (self.kind is float or float(value).is_integer()):
                return self.kind(value)
        raise ConfigError(f"{self.name}={shown(value)} is not allowed: give {self.allowed}.")

    def parse(self, text: str) -> Any:
        """Return the word or number that `text` stands for; its range is not checked here.

        Of an optional field `null` is None: chosen from the others.
        """
        if self.kind is str:
            return text
        if self.optional and text == NOT_GIVEN:
            return None
        try:
            number = float(text)
        except ValueError:
            number = None
        # Digits that no number of the machine holds, as 1e999, are answered as they were given.
        if number is None or (math.isinf(number) and any(sign.isdigit() for sign in text)):
            is_comma = DECIMAL_COMMA.fullmatch(text.strip())
            point = f", as in {shown(text.strip().replace(',', '.'))}" if is_comma else ""
            raise ConfigError(
                f"{self.name}={shown(text)} is not allowed: give {self.allowed}{point}."
            )
        return int(number) if self.kind is int and number.is_integer() else number


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a file offers: its name, a sentence, the fields it reads, and counts for the budget.

    name, meaning: as on the page and in `--help`.
    reads: its fields, in the order in which they are resolved.
    defaults: values it prefers for fields that *others* read (a task that needs biases).
    check: raises `ConfigError` for combinations of fields that cannot be.
    facts: what the rest of the program may ask without torch; the keys are fixed by kind:
        task        inputs(values) → d; classes(values) → 0 (real), 2 (±1) or the number;
                    outputs(values) → k of real targets (where it is left out: 1);
                    endless (bool): whether points can be drawn without end;
                    of images also image(values) → (channels, height, width) and flips (bool):
                    whether a mirror image is of the same class; where labels depend on some
                    inputs only, directions(values) → (these, those that are noise), indices;
                    where the target is of a few directions in the space of the inputs,
                    rays(values) → (directions (m, d), signs (m,));
                    of files, understood(values) → how the file is read, in one line
        model       parameters(values, d, k) → p; operations(values, d, k) → multiply-adds
                    of one forward pass of one point; units(values, d, k) → hidden units
                    (convolutional networks); reads_inputs (where it is left out:
                    True), False for functions of the weights alone; stacked (where it is left
                    out: False), whether one product serves the weights of many runs;
                    linear_layers(values) → q, of networks of q linear layers with an activation
                    between them (0: it is none; where it is left out nothing is said of it);
                    of one weight and two outputs curve() → (h at all weights (n, 2), the
                    direction of Dh(w0) (2,))
        activation  smooth (bool), homogeneous (where it is left out: False), whether
                    σ(c z) = c σ(z) for every c > 0
        loss        units (of the loss, of the outputs; where it is left out they are called
                    just that), labels (`any` or `binary`),
                    classifies (bool), outputs(classes) → k,
                    quadratic (bool; whether ℓ is ½‖f − y‖²), curvature (largest ℓ''),
                    convexity (smallest ℓ'' over all outputs; where it is left out: 0),
                    bounded_slope (whether ∂ℓ/∂f is bounded; False where it grows as f does;
                    left out where neither is known), and of a margin loss margin, the y f from
                    which on a point is fitted; a number or a function of the values
        dynamics    evaluations(values) → gradients of either model that it takes, or None
                    where that is found out on the way; adaptive, how many it usually is then
                    (where it is left out: `cost.estimate` counts 2000);
                    gradient_flow (where it is left out: False), whether the path is that of
                    w' = −∇F_α(w), but for the error that it states; of_modules (where it is
                    left out: False), whether `compare` can use it: it needs no more of the run
                    than the problem, and those of its own fields that `compare` takes
    """

    name: str
    meaning: str
    reads: tuple[Field, ...] = ()
    defaults: Values = field(default_factory=dict)
    check: Callable[[Values], None] | None = None
    facts: Values = field(default_factory=dict)


@cache
def collect(kind: str) -> dict[str, ModuleType]:
    """Return the files of one kind by the name in their `SPEC`, sorted by name.

    Files do not come and go while the program runs: they are looked for once.
    """
    package = importlib.import_module(PACKAGES[kind])
    names = sorted(m.name for m in pkgutil.iter_modules(package.__path__) if m.name[0] != "_")
    files = [importlib.import_module(f"{PACKAGES[kind]}.{name}") for name in names]
    return {file.SPEC.name: file for file in files}


def find(kind: str, name: str) -> ModuleType:
    """Return the file of that kind and name; `ConfigError` when there is none."""
    files = collect(kind)
    if name not in files:
        raise ConfigError(f"{kind}={shown(name)} is not allowed: give {', '.join(files)}.")
    return files[name]


def facts_of(kind: str, name: Any) -> Values:
    """Return the facts of the file of that kind and name, none where there is no such file."""
    file = collect(kind).get(name)
    return file.SPEC.facts if file else {}


def reads(kind: str, name: str, field: str) -> bool:
    """Whether the file of that kind and name reads this field; `ConfigError` without a file."""
    return any(known.name == field for known in find(kind, name).SPEC.reads)


def takes_steps(dynamics: Any) -> bool:
    """Whether the path of this dynamics is made of discrete steps, so many and so large.

    An optimiser of `compare` alone, which has no file, takes steps.
    """
    return dynamics not in collect("dynamics") or reads("dynamics", dynamics, "steps")


def output_count(values: Values) -> int:
    """Return k, the outputs of the model in the run with these resolved fields.

    Real targets of a loss that does not classify have the task's own number; else it is the
    loss's for so many classes.
    """
    task = find("task", values["task"]).SPEC.facts
    loss = find("loss", values["loss"]).SPEC.facts
    classes = task["classes"](values)
    if classes == 0 and "outputs" in task and not loss["classifies"]:
        return task["outputs"](values)
    return loss["outputs"](classes)


def loss_facts(values: Values) -> Values:
    """Return the facts of the loss of these resolved fields, curvature and margin as numbers."""
    facts = dict(find("loss", values["loss"]).SPEC.facts)
    for name in ("curvature", "margin"):
        if callable(facts.get(name)):
            facts[name] = facts[name](values)
    return facts


def bounded_slope(values: Values) -> bool | None:
    """Return whether ∂ℓ/∂f of the loss of these fields is bounded, None where that is not said."""
    return facts_of("loss", values.get("loss")).get("bounded_slope")


def shown(value: Any) -> str:
    """Return `value` as it may stand in a message: short, whatever was handed in."""
    if isinstance(value, int) and abs(value) >= 10**LONGEST_WORD:
        value = float(value) if abs(value) < 10**300 else "a huge number"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST_WORD else text[: LONGEST_WORD - 3] + "…"


def as_text(values: Any) -> dict[str, str]:
    """Return texts by field; a number is its own text.

    Raises `ConfigError` for what is no mapping of names to texts.

    >>> as_text({"alpha": 3, "width": "32,64"})
    {'alpha': '3', 'width': '32,64'}
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"fields as text are a dict of names and texts, not {kind_of(values)}.")
    found: dict[str, str] = {}
    for name, value in values.items():
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not isinstance(value, str) and not is_number:
            raise ConfigError(
                f"{shown(name)} is {kind_of(value)}, not text: write it as on the command line, or "
                "give values to from_dict."
            )
        found[str(name)] = value if isinstance(value, str) else repr(value)
    return found


def kind_of(value: Any) -> str:
    """Return what a value is, as it may stand in a message: a list, an int, None."""
    article = "an" if type(value).__name__[0] in "aeiouAEIOU" else "a"
    return "None" if value is None else f"{article} {type(value).__name__}"
