"""Runs of one shape advanced together: each lane as it is alone, whatever the others are."""

import itertools
import math

import numpy as np
import oracle
import pytest
import torch

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.dynamics import trajectory
from lazycore.engine.measures.recording import choose_scales
from lazycore.engine.networks.module_network import ModuleNetwork
from lazycore.engine.problem.norms import rms
from lazycore.engine.problem.problem import Points, Problem, build_problem
from lazycore.engine.problem.stacked import stack

torch.set_num_threads(1)
CPU = torch.device("cpu")
TINY = {"task": "teacher", "n_train": 6, "n_test": 3, "dim": 3, "width": 4, "activation": "tanh"}


def problem_of(**fields) -> tuple[dict, Problem, oracle.Setting]:
    """Return the config's values with scales chosen, the engine's problem and the oracle's."""
    config = RunConfig(**(TINY | fields))
    values = config.resolve().to_dict()
    problem = build_problem(values, CPU)
    return values | choose_scales(problem, values), problem, oracle.setting(config)


def some(shape, seed=3):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def close(a, b, tolerance=1e-12) -> bool:
    """Whether two tensors agree relative to the size of the second."""
    return float((a - b).norm()) <= tolerance * max(float(b.norm()), 1e-3)


# ── networks with weights (s, p) ─────────────────────────────────────────────────────────

CASES = list(
    itertools.product(
        ("two_layer", "fully_connected"),
        ("none", "symmetrized"),
        ("none", "normal"),
        ("plain", "ntk", "mean_field"),
        ("relu", "tanh", "softplus", "linear"),
    )
)


@pytest.mark.parametrize("c", CASES, ids=["-".join(c) for c in CASES])
@pytest.mark.parametrize("k", [1, 3])
def test_a_network_takes_many_weights_at_once(c, k):
    """Over points of their own or shared ones; pullbacks against autograd of the formula."""
    model, zero_output, bias, scaling, activation = c
    fields = {"model": model, "zero_output": zero_output, "bias": bias, "scaling": scaling}
    fields |= {"activation": activation, "bias_gain": 0.6 if bias == "normal" else None}
    s = oracle.setting(RunConfig(**(TINY | fields)), k=k)
    network = spec.find("model", model).build(s.values, s.d, k)
    w, r = s.w0 + 0.4 * some((3, len(s.w0))), some((3, 6, k))
    for x in (s.x, torch.stack([s.x, s.x.flip(0), 2.0 * s.x])):
        outputs, pull = network.pullback(w, x)
        gradients = pull(r)
        alone = network(w, x)
        assert outputs.shape == (3, 6, k) and gradients.shape == w.shape
        for lane in range(3):
            points = x if x.ndim == 2 else x[lane]
            wanted = s.network(w[lane], points)
            assert torch.allclose(outputs[lane], wanted, rtol=1e-12, atol=1e-13)
            assert torch.allclose(alone[lane], wanted, rtol=1e-12, atol=1e-13)
            wanted = torch.func.grad(lambda u, i=lane, p=points: (s.network(u, p) * r[i]).sum())
            assert torch.allclose(gradients[lane], wanted(w[lane]), rtol=1e-11, atol=1e-12)


# ── gradients of many problems ───────────────────────────────────────────────────────────

LANES = {
    "alpha": [{"alpha": a} for a in (0.1, 1.0, 1e4)],
    "init_seed": [{"init_seed": i, "alpha": 2.0} for i in (1, 2, 3)],
    "init_scale": [{"init_scale": t} for t in (0.3, 1.0, 3.0)],
    "data_seed": [{"data_seed": i} for i in (1, 2, 3)],
    "step_size": [{"step_size": e} for e in (0.01, 0.1, 0.5)],
    "all": [
        {"alpha": 10.0**i, "init_seed": i, "init_scale": 1.0 + i, "data_seed": 3 - i}
        for i in range(3)
    ],
}
COMMON = {
    "plain": {},
    "symmetrised": {"zero_output": "symmetrized", "bias": "normal"},
    "deep, not centred": {"zero_output": "none", "model": "fully_connected", "depth": 2},
    "logistic": {"loss": "logistic"},
    "ten classes": {"task": "digits", "labels": "ten", "loss": "cross_entropy", "dim": None},
    "parameter space": {"n_train": 40, "width": 2},
}


@pytest.mark.parametrize("common", COMMON)
@pytest.mark.parametrize("by", LANES)
def test_gradients_of_many_problems_are_those_of_each_by_autograd(by, common):
    fields = COMMON[common] | {"dynamics": "gd"}
    triples = [problem_of(**(fields | lane)) for lane in LANES[by]]
    lanes = stack([problem for _, problem, _ in triples])
    v = some((3, triples[0][1].w0.numel()))
    gradient, change = lanes.gradient(v)
    assert close(lanes.outputs(v), change)
    for lane, (_, problem, s) in enumerate(triples):
        w = s.w0 + v[lane] / s.alpha
        wanted = s.alpha * torch.func.grad(s.objective(s.h))(w)
        outputs = s.alpha * (s.h(w, s.x) - s.h(s.w0, s.x))
        assert close(gradient[lane], wanted, 1e-10) and close(change[lane], outputs, 1e-10)
        assert close(lanes.losses(change)[lane], s.risk(s.alpha * s.h(w, s.x)), 1e-10)
        assert float((problem.train.outputs(v[lane]) - s.alpha * s.h(w, s.x)).norm()) < 1e-9


@pytest.mark.parametrize("by", ["alpha", "all"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_some_of_the_lanes_are_the_same_lanes(by, dtype):
    problems = [problem_of(**lane, dtype=dtype)[1] for lane in LANES[by]]
    lanes, v = stack(problems), some((3, problems[0].w0.numel())).to(problems[0].w0.dtype)
    gradient, change = lanes.gradient(v)
    for chosen in (torch.tensor([2, 0]), slice(0, 2), torch.tensor([1, 1, 0, 2])):
        part = lanes.select(chosen)
        found, moved = part.gradient(v[chosen])
        tolerance = 1e-13 if dtype == "float64" else 1e-6
        assert len(part) == len(found) == len(v[chosen])
        assert close(found, gradient[chosen], tolerance)
        assert close(moved, change[chosen], tolerance)


def test_lanes_advanced_in_several_products_are_those_advanced_in_one(monkeypatch):
    problems = [problem_of(**lane)[1] for lane in LANES["all"]]
    v = some((3, problems[0].w0.numel()))
    whole = stack(problems)
    monkeypatch.setattr("lazycore.engine.problem.stacked.CACHE", 1)
    parts = stack(problems)
    assert whole.at_once >= 3 and parts.at_once == 1
    for a, b in zip(parts.gradient(v), whole.gradient(v), strict=True):
        assert close(a, b, 1e-13)
    assert close(parts.outputs(v), whole.outputs(v), 1e-13)


def test_networks_that_take_no_lanes_go_one_after_another():
    """A torch module under three α; the oracle is autograd of the module itself."""
    generator = torch.Generator().manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(3, 5), torch.nn.Softplus(), torch.nn.Linear(5, 2)
    ).double()
    x = torch.randn(7, 3, generator=generator, dtype=torch.float64)
    y = torch.randn(7, 2, generator=generator, dtype=torch.float64)
    network, loss = ModuleNetwork(module), spec.find("loss", "square")
    w0 = network.weights()
    alphas = (0.5, 3.0, 100.0)
    problems = [Problem(Points(network, w0, alpha, True, x, y), None, loss, 0) for alpha in alphas]
    lanes, v = stack(problems), some((3, len(w0)))
    gradient, change = lanes.gradient(v)
    assert close(lanes.select(torch.tensor([2])).gradient(v[2:])[0], gradient[2:])
    assert close(lanes.select(slice(1, 3)).outputs(v[1:]), change[1:])
    for lane, alpha in enumerate(alphas):

        def risk(u, alpha=alpha):
            outputs = alpha * (network(w0 + u / alpha, x) - network(w0, x))
            return 0.5 * (outputs - y).square().sum() / 7

        u = v[lane].clone().requires_grad_()
        wanted = torch.autograd.grad(risk(u), u)[0]
        assert close(gradient[lane], wanted, 1e-10)


# ── whole runs ───────────────────────────────────────────────────────────────────────────


def together(triples, dynamics, record=None, limits=None):
    """Return every lane's moments, of runs that go together."""
    found = [[] for _ in triples]
    values, problems = [v for v, _, _ in triples], [p for _, p, _ in triples]
    records = None if record is None else [record] * len(triples)
    file = spec.find("dynamics", dynamics)
    for lane, moment in file.trajectories(problems, values, records, limits):
        found[lane].append(moment)
    return found


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("common", COMMON)
@pytest.mark.parametrize("by", LANES)
def test_descents_that_go_together_are_those_of_each_alone(by, common, momentum):
    fields = COMMON[common] | {"dynamics": "gd", "steps": 40, "momentum": momentum}
    triples = [problem_of(**(fields | lane)) for lane in LANES[by]]
    record = np.array([0, 1, 7, 40])
    for (values, problem, _), found in zip(triples, together(triples, "gd", record), strict=True):
        wanted = list(trajectory(problem, values, record))
        assert len(found) == len(wanted) == 4
        for mine, theirs in zip(found, wanted, strict=True):
            assert (mine.time, mine.progress, mine.steps) == (
                theirs.time,
                theirs.progress,
                theirs.steps,
            )
            assert close(mine.nonlinear, theirs.nonlinear)
            assert close(mine.linearized, theirs.linearized, 1e-11)


def test_lanes_of_descent_may_differ_in_their_momentum():
    fields = {"dynamics": "gd", "steps": 30}
    triples = [problem_of(**fields, momentum=m) for m in (0.0, 0.5, 0.9)]
    record = np.array([0, 2, 30])
    for (values, _, s), found in zip(triples, together(triples, "gd", record), strict=True):
        walk = oracle.descend(s.objective(s.h), s.w0, values["step_size"], values["momentum"])
        path = list(itertools.islice(walk, 31))
        for k, moment in zip(record, found, strict=True):
            assert close(moment.nonlinear, s.alpha * (path[k] - s.w0), 1e-10)


def test_a_lane_that_diverges_leaves_the_others_as_they_are():
    fields = {"dynamics": "gd", "steps": 400}
    triples = [problem_of(**fields, step_size=e) for e in (0.1, 1e4, 0.2)]
    found = together(triples, "gd")
    assert not found[1][-1].nonlinear.isfinite().all()
    for lane in (0, 2):
        values, problem, _ = triples[lane]
        for mine, theirs in zip(found[lane], trajectory(problem, values), strict=True):
            assert close(mine.nonlinear, theirs.nonlinear)


def test_stochastic_descents_that_go_together_keep_their_own_batches():
    fields = {"dynamics": "sgd", "steps": 20, "batch_size": 2}
    triples = [problem_of(**fields, batch_seed=b, alpha=b) for b in (1, 2, 3)]
    for (values, problem, _), found in zip(triples, together(triples, "sgd"), strict=True):
        for mine, theirs in zip(found, trajectory(problem, values), strict=True):
            assert close(mine.nonlinear, theirs.nonlinear)
            assert close(mine.linearized, theirs.linearized)


FLOWS = {
    "alpha": [{"alpha": a} for a in (0.3, 3.0, 1e3)],
    "seeds": [{"init_seed": i, "data_seed": 7 - i} for i in (1, 2, 3)],
    "scale": [{"init_scale": t, "alpha": 3.0} for t in (0.7, 1.0, 1.5)],
    "kinks": [{"alpha": a, "activation": "relu", "width": 8} for a in (1.0, 30.0)],
    "logistic": [{"alpha": a, "loss": "logistic"} for a in (1.0, 30.0)],
}


@pytest.mark.parametrize("by", FLOWS)
def test_flows_that_go_together_are_those_of_each_alone_within_their_error(by):
    """Stiff ones and others in one batch, each up to a time of its own."""
    triples = []
    for number, lane in enumerate(FLOWS[by]):
        values, problem, s = problem_of(**lane)
        triples.append((values | {"time": (10.0, 120.0, 300.0)[number]}, problem, s))
    for (values, problem, _), found in zip(triples, together(triples, "flow"), strict=True):
        wanted = list(trajectory(problem, values))
        assert len(found) == len(wanted) == 201 and found[-1].progress == 1.0
        # They take the same steps, so that they agree far better than to their error.
        assert found[-1].steps == pytest.approx(wanted[-1].steps, rel=0.03)
        assert found[-1].error == pytest.approx(wanted[-1].error, rel=0.05)
        allowed = 0.05 * wanted[-1].error + problem.rounding_floor

        def gap(moment, train=problem.train):
            return train.outputs(moment.nonlinear) - train.tangent_outputs(moment.paired)

        for mine, theirs in list(zip(found, wanted, strict=True))[::10]:
            assert mine.time == theirs.time
            assert float(rms(gap(mine) - gap(theirs))) <= allowed
            assert close(mine.linearized, theirs.linearized, 1e-3)
        assert found[-1].time == values["time"]


def test_flows_may_differ_in_tolerance():
    triples = [problem_of(alpha=3.0, tolerance=t, time=30.0) for t in (1e-2, 1e-3, 1e-4)]
    found = together(triples, "flow")
    errors = [moments[-1].error for moments in found]
    assert errors[0] > errors[1] > errors[2] > 0.0
    for (values, problem, _), error in zip(triples, errors, strict=True):
        alone = list(trajectory(problem, values))[-1].error
        assert alone / 3 <= error <= 3 * alone


def test_the_limit_ends_one_flow_of_many():
    triples = [problem_of(alpha=a, time=30.0) for a in (1.0, 3.0)]
    found = together(triples, "flow", limits=[100, 10**9])
    whole = together(triples, "flow")
    assert 1 <= len(found[0]) < 201 and found[0][-1].progress < 1.0
    assert len(found[1]) == 201
    for mine, theirs in zip(found[1], whole[1], strict=True):
        assert close(mine.nonlinear, theirs.nonlinear, 1e-4)


def test_a_flow_that_cannot_be_followed_ends_alone(monkeypatch):
    triples = [problem_of(alpha=a, time=10.0) for a in (1.0, 2.0, 3.0)]
    whole, (_, second, _) = together(triples, "flow"), triples[1]
    # The second lane is known by its first target, in whichever row it stands.
    mark = float(second.targets[0, 0]) + 1e-9
    second.targets[0, 0] = mark
    plain, calls = second.loss.gradient, itertools.count()

    def broken(f, y):
        spoiled = (y[..., :1, :1] == mark) & (next(calls) > 30)
        return torch.where(spoiled, math.nan, plain(f, y))

    monkeypatch.setattr(second.loss, "gradient", broken)
    found = together(triples, "flow")
    assert found[1][-1].nonlinear is None and len(found[1]) < 201
    assert all(m.nonlinear.isfinite().all() for m in found[1][:-1])
    for lane in (0, 2):
        assert len(found[lane]) == 201
        for mine, theirs in zip(found[lane], whole[lane], strict=True):
            assert close(mine.nonlinear, theirs.nonlinear, 1e-3)


@pytest.mark.parametrize("dynamics", ["flow", "gd"])
def test_lanes_that_differ_in_alpha_alone_share_one_decomposition(monkeypatch, dynamics):
    """They have one kernel, and differ in what is asked of its eigenvectors."""
    values, problem, s = problem_of(dynamics=dynamics, zero_output="none")
    alphas = (1.0, 10.0, 100.0)
    triples = [
        (
            values | {"alpha": a},
            Problem(problem.train.rescaled(a), None, problem.loss, problem.classes),
            s,
        )
        for a in alphas
    ]
    calls, before = [], np.linalg.eigh

    def counted(*arguments):
        calls.append(arguments)
        return before(*arguments)

    monkeypatch.setattr(np.linalg, "eigh", counted)
    found = together(triples, dynamics, np.array([0, 5]))
    assert len(calls) == 1 and all(len(moments) == 2 for moments in found)
