"""A new dynamics, loss, model and task: known all over by what their files say of themselves."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_spec import LOSS, MODEL, TASK

ROOT = Path(__file__).resolve().parent.parent

FLOW = '''
"""Gradient flow by steps of one length, and by steps of half of it, which tell the error."""
import numpy as np
from lazycore.config.fields import TIME
from lazycore.config.spec import Field, Spec

SPEC = Spec(
    name="even_euler", meaning="gradient flow by Euler steps of one length",
    reads=(TIME, Field(name="euler_steps", kind=int, default=4000, low=10, high=10**6,
                       meaning="steps to the end")),
    facts={"evaluations": lambda values: values["euler_steps"], "gradient_flow": True,
           "of_modules": True},
)

def trajectories(problems, values, records=None, limits=None):
    for lane, (problem, value) in enumerate(zip(problems, values)):
        for moment in follow(problem, value, None if records is None else records[lane]):
            yield lane, moment

def follow(problem, values, record):
    import torch
    from lazycore.config.moments import Moment, Position, recorded_steps
    from lazycore.engine.linear.tangent import gradient, tangent_space

    space, steps = tangent_space(problem), values["euler_steps"]
    step = values["time"] / steps
    paths = [[torch.zeros_like(problem.w0), torch.zeros(space.size, dtype=space.dtype), length]
             for length in (1, 2)]
    every = torch.arange(len(problem.train))
    marks = recorded_steps(steps // 2) * 2 if record is None else record / step
    done = error = 0
    for mark in marks:
        while done < int(mark):
            done += 1
            for path in paths:
                if done % path[2] == 0:
                    path[0] = path[0] - path[2] * step * problem.gradient(path[0], every)
                    path[1] = path[1] - path[2] * step * gradient(space, path[1])
        gaps = [problem.train.changes(v[None])[0] - space.train_outputs(s[None])[0]
                for v, s, _ in paths]
        error = max(error, float((gaps[0] - gaps[1]).square().sum(1).mean().sqrt()))
        position = Position(space, paths[0][1])
        yield Moment(time=done * step, progress=done / steps, nonlinear=paths[0][0],
                     tangent=position, exact=position, error=error, steps=done)
'''
OTHER = FLOW.replace("even_euler", "even_steps").replace(
    '"gradient_flow": True,', '"gradient_flow": False,'
)
"""The same without saying that it is a gradient flow: nothing may be said of it that needs one."""

SAID = """
import json, sys
from lazycore.config import cost, forecast
from lazycore.config.run import RunConfig
assert "torch" not in sys.modules
config = RunConfig.from_dict(json.loads(sys.argv[1]))
more = RunConfig.from_dict(json.loads(sys.argv[1]) | json.loads(sys.argv[2]))
costs = [cost.estimate(one).seconds for one in (config, more)]
told = [forecast.seconds(one) for one in (config, more)]
cost.check(config)
import lazycore
from lazycore.figures import bands, exponent, overlay, panels_of
from lazycore.papers.theorem import theorems
from lazycore.results.groups import grouped
from lazycore.results.quantities import DECLARED, measure
from lazycore.results.run import RunResult
result = lazycore.run(config)
record = result.to_dict()
again = RunResult.from_bytes(result.to_bytes())
assert again.to_dict() == record
assert {*result.series, *result.sparse, *result.latest} <= DECLARED.keys()
drawn = [panel.name for panel in panels_of(result) if panel.draw(result, True)]
for name, curve in overlay.CURVES.items():
    if overlay.shows(grouped([result]), curve):
        overlay.figure(grouped([result]), name)
hypotheses = {
    name: [[h.text, h.holds, h.found] for h in theorem.hypotheses(result)]
    for name, theorem in theorems().items()
}
for theorem in theorems().values():
    theorem.lines(result, {})
print(json.dumps({
    "costs": costs, "told": told, "status": result.status, "drawn": drawn,
    "hypotheses": hypotheses, "bound": "theory.theorem_2_3" in result.series,
    "reason": result.latest.get("theory.reason"),
    "constants": sorted(k for k in result.latest if k.startswith("constants.")),
    "numbers": sorted(k for k, v in measure(result).items() if v == v),
    "slope": exponent.reason([result]), "error": result.numerical_error,
    "gap": measure(result)["largest_gap"],
}))
"""
COMPARED = """
import sys, torch, lazycore
net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)).double()
x = torch.linspace(-1, 1, 12).view(6, 2).double()
ways = ["even_euler", "flow"]
found = [lazycore.compare(net, x, x[:, 0], time=2.0, dynamics=d, record=[1.0]) for d in ways]
gaps = [f.series["gap.train_output"][-1] for f in found]
assert abs(gaps[0] - gaps[1]) < 0.01 * gaps[1], gaps
try:
    lazycore.compare(net, x, x[:, 0], dynamics="adagrad")
except lazycore.errors.ConfigError as error:
    print(error)
"""
COSTS = """
import json, sys
from lazycore.config import cost
from lazycore.config.run import RunConfig
runs = [RunConfig.from_dict(json.loads(text)) for text in sys.argv[1:]]
print(json.dumps([cost.estimate(run).seconds for run in runs]))
"""
PAGE = """
import sys
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash
from lazycore.config.run import RunConfig
import json, lazycore
from lazycore.results.store import open_store
from pages.widgets import links
config = RunConfig.from_dict(json.loads(sys.argv[1]))
store = open_store(sys.argv[2])
store.put(config.digest, lazycore.run(config).to_bytes())
store.close()
for page, more in (("explore", {}), ("compare", {"runs": config.digest}), ("theorems", {})):
    app = AppTest.from_file("pages/main.py", default_timeout=60)
    app._page_hash = calc_hash(page)
    asked = dict(config.to_text()) if page == "explore" else more
    for name, value in asked.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, (page, [e.value for e in app.exception])
    assert not app.error, (page, [e.value for e in app.error])
    if page == "explore":
        said = " ".join(str(m.value) for m in app.markdown)
        assert any(w in said for w in ("lazy", "crossover", "rich", "undecided")), said
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Path:
    """A copy of the program with one more file of each kind."""
    folder = tmp_path_factory.mktemp("house")
    for part in ("lazycore", "pages"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    files = {
        "tasks/power": TASK,
        "losses/pseudo_huber": LOSS.replace(
            '"quadratic": False', '"quadratic": False, "bounded_slope": True'
        ),
        "models/shifted": MODEL,
        "dynamics/even_euler": FLOW,
        "dynamics/even_steps": OTHER,
    }
    for name, source in files.items():
        (folder / "lazycore" / f"{name}.py").write_text(source)
    return folder


def told(folder: Path, code: str, *arguments: object, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"} | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


BASE = {"dynamics": "even_euler", "time": 2.0, "n_train": 6, "n_test": 4, "width": 6}
BASE |= {"activation": "tanh", "alpha": 50.0, "task": "power", "power_order": 2}


def said_of(house: Path, **fields: object) -> dict:
    more = {"euler_steps": 40000}
    return json.loads(told(house, SAID, json.dumps(BASE | fields), json.dumps(more)))


def test_a_new_gradient_flow_is_known_to_cost_forecast_bounds_and_hypotheses(house):
    found = said_of(house)
    assert found["status"] == "done" and 0.0 < found["error"] < found["gap"]
    # Ten times the steps are ten times the work, but for what is done once.
    for few, many in (found["costs"], found["told"]):
        assert 5.0 < many / few <= 10.0
    assert found["bound"] and found["reason"] is None
    for name in ("Theorem 2.2", "Theorem 2.3", "Theorem 2.4"):
        text, holds, words = found["hypotheses"][name][0]
        assert "gradient flow" in text and holds is True and words == "dynamics = even_euler"
    assert {"constants.differential_norm", "constants.rank"} <= {*found["constants"]}
    assert {"largest_gap", "relative_gap", "kernel_change", "kappa"} <= {*found["numbers"]}
    assert {"distance", "losses", "kernel", "displacement"} <= {*found["drawn"]}


def test_a_convolutional_network_costs_the_evaluations_of_a_new_dynamics_too(house):
    fields = {"task": "digits", "model": "cnn", "dynamics": "even_euler", "time": 1.0}
    asked = [json.dumps(fields | {"euler_steps": steps}) for steps in (10**5, 10**6)]
    few, many = json.loads(told(house, COSTS, *asked))
    assert 5.0 < many / few <= 10.0


def test_of_a_dynamics_that_does_not_say_so_nothing_is_said_that_needs_a_flow(house):
    found = said_of(house, dynamics="even_steps")
    assert not found["bound"]
    assert found["reason"] == "Theorem 2.3 is about gradient flow: this run goes another way."
    _, holds, words = found["hypotheses"]["Theorem 2.3"][0]
    assert holds is False and words == "dynamics = even_steps: another path"


def test_a_new_loss_is_said_to_be_what_its_facts_say(house):
    found = said_of(house, loss="pseudo_huber", zero_output="none")
    assert found["status"] == "done" and not found["bound"]
    assert found["reason"] == "Theorem 2.3 is about the square loss."
    assert "the slope of the pseudo_huber loss is bounded" in found["slope"]
    by_text = {text: (holds, words) for text, holds, words in found["hypotheses"]["Theorem 2.3"]}
    assert by_text["The loss is the square loss"] == (False, "loss = pseudo_huber")


def test_of_a_new_model_that_says_nothing_of_layers_nothing_is_claimed(house):
    found = said_of(house, model="shifted", activation="relu")
    text, holds, words = found["hypotheses"]["Homogeneity"][0]
    assert holds is None and words == "model = shifted does not say"
    assert found["hypotheses"]["Homogeneity"][1][1:] == [True, "relu"]
    assert found["status"] == "done" and found["bound"] is False


def test_a_new_dynamics_can_be_had_for_any_module(house):
    said = told(house, COMPARED)
    assert said.endswith("give gd, sgd, adam, even_euler, even_steps or flow.\n")


def test_the_pages_show_a_run_of_new_files(house, tmp_path):
    fields = BASE | {"loss": "pseudo_huber", "model": "shifted", "euler_steps": 500}
    told(house, PAGE, json.dumps(fields), tmp_path / "cache", LAZYLAB_CACHE=str(tmp_path / "cache"))
