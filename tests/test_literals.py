"""What a task, model, loss, activation or dynamics is, is asked of its SPEC, not of its name."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lazycore.config import spec

ROOT = Path(__file__).resolve().parent.parent
NAMES = {name for kind in spec.PACKAGES for name in spec.collect(kind)} | {"adam"}
"""Names of files, and of the optimiser that `compare` has without one."""

ONLY = "the model's only task"
OPTIMIZERS = "the optimisers of torch.optim, which `compare` offers by their names"
PRINTED = "factors that are known from elsewhere: an oracle for each activation"
WORDS = "words of fields of its own, which are names of tasks too"
PATHS = {
    "factors": "lazycore/models/matrix_factorization.py",
    "ode": "lazycore/models/ode.py",
    "options": "lazycore/running/compare/options.py",
    "exponents": "lazycore/papers/feature_lazy/claims/exponents.py",
    "emnist": "lazycore/tasks/emnist.py",
}
ALLOWED = (
    ("factors", "matrix_completion", 1, ONLY),
    ("ode", "ode_fit", 1, ONLY),
    ("options", "gd", 1, OPTIMIZERS),
    ("options", "sgd", 1, OPTIMIZERS),
    ("options", "adam", 1, OPTIMIZERS),
    ("exponents", "softplus", 2, PRINTED),
    ("exponents", "swish", 2, PRINTED),
    ("exponents", "tanh", 1, PRINTED),
    ("exponents", "relu", 1, PRINTED),
    ("emnist", "digits", 2, WORDS),
    ("emnist", "parity", 2, WORDS),
)
"""Where a name decides, how often, and why no fact of its SPEC can."""


def texts(node: ast.AST | None) -> Iterator[str]:
    """Yield the words of a literal: of a string, or of a tuple, list, set or dict of strings."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for part in node.elts:
            yield from texts(part)
    elif isinstance(node, ast.Dict):
        for key in node.keys:
            yield from texts(key)
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("set", "frozenset"):
        for part in node.args:
            yield from texts(part)


def decided(source: str) -> list[str]:
    """Return the names that the code decides by: compared with, matched, or keys of a table."""
    tree, found = ast.parse(source), list[str]()
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    facts = {id(k.value) for call in calls for k in call.keywords if k.arg == "facts"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                known = constants.get(side.id) if isinstance(side, ast.Name) else None
                found += texts(known if isinstance(known, ast.Tuple | ast.Set | ast.List) else side)
        elif isinstance(node, ast.MatchValue):
            found += texts(node.value)
        elif isinstance(node, ast.Dict) and id(node) not in facts:
            found += texts(node)
    return [name for name in found if name in NAMES]


def test_no_name_of_a_file_decides_but_where_it_is_said_why():
    found: Counter[tuple[str, str]] = Counter()
    for path in (p for part in ("lazycore", "pages") for p in sorted((ROOT / part).rglob("*.py"))):
        place = str(path.relative_to(ROOT))
        own = path.stem if path.parent.name in ("tasks", "models", "activations") else ""
        own = path.stem if path.parent.name in ("losses", "dynamics") else own
        found.update((place, name) for name in decided(path.read_text()) if name != own)
    allowed = {(PATHS[file], name): count for file, name, count, _ in ALLOWED}
    assert found == Counter(allowed), "ask the SPEC for a fact, or say here why not"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('values["dynamics"] == "flow"', ["flow"]),
        ('"gd" != name', ["gd"]),
        ('name in ("gd", "sgd", "other")', ["gd", "sgd"]),
        ('name not in {"relu"}', ["relu"]),
        ('KINDS = ("relu", "linear")\nname in KINDS', ["relu", "linear"]),
        ('{"square": 1.0}[name]', ["square"]),
        ('match name:\n    case "teacher":\n        pass', ["teacher"]),
        ('Spec(facts={"quadratic": True})', []),
        ('RunConfig(task="sine")', []),
        ('{"task": "sine"}', []),
    ],
)
def test_a_decision_by_name_is_seen(source, names):
    assert decided(source) == names


REQUIRED = {
    "task": {"inputs", "classes"},
    "model": {"parameters", "operations"},
    "activation": {"smooth"},
    "loss": {"labels", "classifies", "outputs", "quadratic", "curvature"},
    "dynamics": {"evaluations"},
}
"""Facts that every file of a kind has; all others may be left out."""


@pytest.mark.parametrize("kind", spec.PACKAGES)
def test_every_file_has_the_facts_of_its_kind_and_no_unknown_one(kind):
    said = " ".join(str(spec.Spec.__doc__).split())
    for name, file in spec.collect(kind).items():
        assert REQUIRED[kind] <= file.SPEC.facts.keys(), name
        for fact in file.SPEC.facts:
            assert fact in said, f"{fact} of {name} is explained nowhere"
