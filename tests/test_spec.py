"""One more of anything is one more file, and no list to edit; specs come without torch."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lazycore.config import spec, words
from lazycore.config.run import all_fields
from lazycore.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent

TASK = '''
"""Points on a line and their cubes."""
import numpy as np
from lazycore.config.fields import N_TEST, N_TRAIN, TARGET_NOISE
from lazycore.config.spec import Field, Spec
from lazycore.tasks import Sample

SPEC = Spec(
    name="power", meaning="x to some power",
    reads=(N_TRAIN, N_TEST, TARGET_NOISE,
           Field(name="power_order", kind=int, default=3, low=1, high=9, meaning="the power")),
    facts={"inputs": lambda values: 1, "classes": lambda values: 0},
)

def sample(values, streams):
    def draw(rng, n):
        x = rng.uniform(-1, 1, (n, 1))
        return x, x[:, 0] ** values["power_order"]
    return Sample(*draw(streams.train, values["n_train"]), *draw(streams.test, values["n_test"]))
'''
ACTIVATION = '''
"""A sine."""
from lazycore.config.spec import Field, Spec

SPEC = Spec(
    name="wave", meaning="sin(f z)", facts={"smooth": True},
    reads=(Field(name="wave_frequency", default=1.0, low=0.1, high=10.0, meaning="f"),),
)

def sigma(z, values):
    return (values["wave_frequency"] * z).sin()

def slope(z, values):
    return values["wave_frequency"] * (values["wave_frequency"] * z).cos()

def bounds(values):
    return (values["wave_frequency"], values["wave_frequency"] ** 2)
'''
LOSS = '''
"""A smooth absolute value."""
from lazycore.config.spec import Field, Spec

SPEC = Spec(
    name="pseudo_huber", meaning="sqrt(c^2 + r^2) - c",
    reads=(Field(name="huber_corner", default=1.0, low=0.1, high=10.0, meaning="c"),),
    facts={"labels": "any", "classifies": False, "quadratic": False, 
           "curvature": lambda values: 1.0 / values["huber_corner"],
           "outputs": lambda classes: classes if classes > 2 else 1},
)

def per_point(f, y, values):
    c = values["huber_corner"]
    return ((c * c + (f - y).square()).sqrt() - c).sum(-1)

def gradient(f, y, values):
    return (f - y) / (values["huber_corner"] ** 2 + (f - y).square()).sqrt()
'''
MODEL = '''
"""One hidden layer whose output weights start at a chosen value."""
from lazycore.config.fields import NETWORK
from lazycore.models import _layers
from lazycore.config.spec import Field, Spec

def _parameters(values, d, k):
    return _layers.parameters(values, 1, d, k)

SPEC = Spec(
    name="shifted", meaning="a two-layer network with shifted weights", check=_layers.even_width,
    reads=(*NETWORK, Field(name="weight_shift", default=0.5, low=-5, high=5, meaning="shift")),
    facts={"parameters": _parameters, "operations": _parameters},
)

def build(values, d, k):
    from dataclasses import dataclass
    from lazycore.engine.networks.dense import Dense, build_dense

    network = build_dense(values, hidden=1, d=d, k=k)
    initial = network.initial
    object.__setattr__(network, "initial", lambda rng: initial(rng) + values["weight_shift"])
    return network
'''
RUN = """
import json, sys
from lazycore.config.run import RunConfig, all_fields
assert "torch" not in sys.modules
fields = sorted(all_fields())
values = json.loads(sys.argv[1])
run = RunConfig.from_dict(values)
assert RunConfig.from_text(run.to_text()) == run and run.digest != RunConfig().digest
bare = {k: v for k, v in values.items() if k != sys.argv[2]}
assert RunConfig.from_dict(bare).digest != run.digest
assert getattr(run, sys.argv[2]) == values[sys.argv[2]]
import lazycore
from lazycore.results.run import RunResult
result = lazycore.run(run)
again = RunResult.from_bytes(result.to_bytes())
print(json.dumps([fields, result.status, again.to_dict()["config"], len(result.time)]))
"""


@pytest.mark.parametrize(
    ("folder", "source", "values", "own"),
    [
        ("tasks", TASK, {"task": "power", "power_order": 2}, "power_order"),
        (
            "activations",
            ACTIVATION,
            {"activation": "wave", "wave_frequency": 2.0},
            "wave_frequency",
        ),
        ("losses", LOSS, {"loss": "pseudo_huber", "huber_corner": 2.0}, "huber_corner"),
        ("models", MODEL, {"model": "shifted", "weight_shift": 0.1}, "weight_shift"),
    ],
    ids=["task", "activation", "loss", "model"],
)
def test_one_more_file_is_one_more_choice_with_fields_of_its_own(
    tmp_path, folder, source, values, own
):
    ignored = shutil.ignore_patterns("__pycache__", "figures")
    shutil.copytree(ROOT / "lazycore", tmp_path / "lazycore", ignore=ignored)
    (tmp_path / "lazycore" / folder / "brought_along.py").write_text(source)
    asked = {"dynamics": "gd", "steps": 5, "n_train": 6, "n_test": 3, "width": 4} | values
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(asked), own],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found_fields, status, config, records = json.loads(done.stdout)
    assert own in found_fields and status == "done" and records > 3
    assert {k: config[k] for k in asked} == asked


def test_nothing_on_the_ground_floor_imports_torch():
    modules = "lazycore config.run results.run config.spec config.fields engine.problem.targets"
    modules += " config.cost theory.lazy results.verdict config.moments errors"
    modules += " tasks models activations losses dynamics"
    code = ["import importlib, sys"]
    for name in modules.split():
        full = "lazycore" if name == "lazycore" else f"lazycore.{name}"
        code.append(f"importlib.import_module({full!r})")
    code += [
        "from lazycore import RunConfig, RunResult",
        "from lazycore.config import spec, cost",
        "[spec.collect(kind) for kind in spec.PACKAGES]",
        "run = RunConfig(alpha=3).resolve(); run.digest; cost.check(run)",
        "RunResult.from_bytes(RunResult.collect(run, []).to_bytes()).to_dict()",
        "from lazycore.engine.problem.targets import dataset; dataset(run.to_dict())",
        "found = {'torch', 'streamlit', 'plotly', 'dbos', 'diskcache'} & set(sys.modules)",
        "sys.exit(str(found) if found else 0)",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(code)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_names_that_the_package_promises_are_there_and_others_are_not():
    import lazycore

    for name in lazycore.__all__:
        assert getattr(lazycore, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = lazycore.nothing


def test_the_files_of_the_contract_are_all_found():
    wanted = {
        "task": {"teacher", "sine", "circles", "digits", "fashion_mnist"},
        "model": {"two_layer", "fully_connected"},
        "activation": {"relu", "tanh", "softplus", "linear"},
        "loss": {"square", "logistic", "cross_entropy"},
        "dynamics": {"flow", "gd", "sgd"},
    }
    for kind, names in wanted.items():
        assert names <= set(spec.collect(kind))


def test_every_field_says_what_it_means_and_has_a_default_that_it_allows():
    for kind in spec.PACKAGES:
        for file in spec.collect(kind).values():
            assert file.SPEC.meaning
            for field in file.SPEC.reads:
                assert field.meaning and field.allowed
                if field.default is not None and not callable(field.default):
                    assert field.check(field.default) == field.default


def test_a_file_that_is_not_there_is_a_config_error():
    with pytest.raises(ConfigError, match="give .*circles, digits"):
        spec.find("task", "x" * 10_000)


def test_every_field_is_called_in_words_and_explained_in_sentences():
    for name, field in all_fields().items():
        assert field.label not in ("", name) and "_" not in field.label, name
        assert field.label[0].isupper() or field.label[0] == "α", name
        assert field.help.endswith(f"it is `{name}`.") and len(field.help.split(". ")) >= 3, name
    assert set(words.WORDS) <= set(all_fields()), "words for what is no field"
    labels = [field.label for field in all_fields().values()]
    assert len(set(labels)) == len(labels)


def test_every_task_and_every_other_file_says_in_a_sentence_what_it_is():
    for kind in spec.PACKAGES:
        for name, file in spec.collect(kind).items():
            said = words.sentence(file.SPEC.meaning)
            begins = said.split()[0].rstrip(",")
            assert begins.isalpha() or begins.isdigit() or "-" in begins, (kind, name, said)
            assert len(said.split()) > 3 and said.endswith("."), (kind, name, said)
