"""CPU and GPU give the same run. Needs a CUDA device; `pytest -m gpu` asks for it."""

import numpy as np
import pytest
from choices import SELECTORS, few, one

import lazycore
from lazycore import RunConfig, SweepConfig, run
from lazycore.config import spec
from lazycore.engine.measures.recording import choose_scales
from lazycore.engine.problem.norms import rms
from lazycore.engine.problem.problem import build_problem, rounding
from lazycore.engine.problem.stacked import stack
from lazycore.errors import LazyLabError

CONFIGS = {
    "flow": RunConfig(activation="tanh", alpha=10.0),
    "flow, ReLU": RunConfig(alpha=10.0),
    "gd": RunConfig(task="digits", dynamics="gd", steps=500),
    "sgd, ten classes": RunConfig(
        task="digits", labels="ten", loss="cross_entropy", dynamics="sgd", steps=200
    ),
}
SPECIAL = {
    "kernels kept": {"task": "circles", "keep": "kernels", "activation": "softplus"},
    "margins met": {"task": "digits", "loss": "soft_hinge", "stop": "margins", "pca": 5},
    "margins met by descent": {
        **{"task": "digits", "loss": "quadratic_hinge", "margin": 0.1, "stop": "margins"},
        **{"dynamics": "gd", "steps": 3000},
    },
    "refreshed": {"dynamics": "gd", "steps": 60, "refresh_every": 20},
    "refreshed by Levenberg and Marquardt": {
        **{"dynamics": "gd", "steps": 60, "refresh_every": 20},
        "refresh_solver": "levenberg_marquardt",
    },
    "symmetrised, deep": {
        **{"model": "fully_connected", "depth": 3, "zero_output": "symmetrized"},
        **{"activation": "softplus", "activation_gain": "unit", "bias": "normal"},
    },
    "float32": {"dtype": "float32", "activation": "tanh", "alpha": 100.0},
    "augmented": {
        **{"task": "digits", "model": "cnn", "width_multiplier": 0.2, "steps": 10},
        **{"augmentation": "standard"},
    },
}
CHOSEN = {"time", "step_size"}
USUAL = (
    *({"task": "teacher"}, {"task": "digits", "dynamics": "sgd"}, {"task": "digits"}),
    *({"task": "fashion_mnist", "dynamics": "sgd"}, {}),
)
"""What a kind is tried with: the first that it goes together with."""


def small(wanted: dict) -> RunConfig:
    """Return a small run with these fields and, where it reads them, few points and steps."""
    fields = dict(wanted)
    sizes = {"n_train": few(fields.get("task", "teacher"), 20), "n_test": 10, "width": 16}
    sizes |= {"steps": 20, "batch_size": 10, "time": 3.0, "width_multiplier": 0.1}
    for name, value in sizes.items():
        try:
            RunConfig.from_dict(fields | {name: value})
        except LazyLabError:
            continue
        fields.setdefault(name, value)
    return RunConfig.from_dict(fields)


def of_each_kind() -> dict[str, RunConfig]:
    """Return a small run of every task that needs no download, model, loss and dynamics."""
    elsewhere = {"own", "mnist", "emnist", "cifar10"}
    found = {}
    for kind in SELECTORS:
        for name in sorted(set(spec.collect(kind)) - elsewhere):
            tries = [{kind: name} | more for more in USUAL if kind not in more]
            found[f"{kind} {name}"] = small(next(c for fields in tries if (c := one(**fields))))
    return found


@pytest.fixture
def gpu() -> str:
    """The device; a machine without one cannot pass these tests."""
    import torch

    if not torch.cuda.is_available():
        pytest.fail("this test was asked for, and there is no CUDA device")
    return "cuda:0"


def assert_one_run(config: RunConfig, device: str) -> None:
    """Both devices have one gap within the errors that they report, and one loss."""
    here, there = (run(config, device=where) for where in ("cpu", device))
    assert here.digest == there.digest and there.latest["device"] == device
    assert (here.status, len(here.time)) == (there.status, len(there.time))
    error = here.numerical_error + there.numerical_error
    difference = np.abs(here.series["gap.train_output"] - there.series["gap.train_output"])
    assert np.nanmax(difference) <= error
    exact = config.resolve().to_dict()["dtype"] == "float64"
    for name in ("nonlinear.train_loss", "linearized.train_loss", "nonlinear.displacement"):
        a, b = here.series[name], there.series[name]
        scale = np.nanmax(np.abs(a))
        assert np.nanmax(np.abs(a - b)) <= (1e-6 if exact else 1e-3) * scale + error, name
    assert here.sparse.keys() == there.sparse.keys() and here.latest.keys() == there.latest.keys()


@pytest.mark.gpu
@pytest.mark.parametrize("name", CONFIGS)
def test_the_gap_on_a_gpu_is_that_of_the_cpu_within_the_numerical_error(name, gpu):
    assert_one_run(CONFIGS[name], gpu)


@pytest.mark.gpu
@pytest.mark.parametrize("name", of_each_kind())
def test_whatever_can_be_chosen_runs_on_a_gpu_as_on_the_cpu(name, gpu):
    assert_one_run(of_each_kind()[name], gpu)


@pytest.mark.gpu
@pytest.mark.parametrize("name", SPECIAL)
def test_what_runs_can_do_besides_they_do_on_a_gpu(name, gpu):
    assert_one_run(small(SPECIAL[name]), gpu)


@pytest.mark.gpu
@pytest.mark.parametrize("dynamics", ["flow", "gd"])
def test_the_cells_of_a_sweep_on_a_gpu_are_those_of_the_cpu(dynamics, gpu):
    axes = {"alpha": (0.5, 5.0, 50.0), "init_seed": range(4)}
    sweep = SweepConfig(base=small({"dynamics": dynamics, "activation": "tanh"}), axes=axes)
    here, there = (lazycore.sweep(sweep, device=device).frame for device in ("cpu", gpu))
    assert here["status"].tolist() == there["status"].tolist()
    error = here["numerical_error"] + there["numerical_error"]
    assert ((here["largest_gap"] - there["largest_gap"]).abs() <= error).all()


@pytest.mark.gpu
@pytest.mark.parametrize("dynamics", ["flow", "gd"])
def test_a_module_is_compared_on_the_gpu_that_it_is_on(dynamics, gpu):
    import torch

    torch.manual_seed(0)
    found = {}
    module = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    x = torch.randn(12, 3)
    for device in ("cpu", gpu):
        own, points = module.double().to(device), x.double().to(device)
        found[device] = lazycore.compare(own, points, points[:, 0], dynamics=dynamics)
    gaps = [result.series["gap.train_output"] for result in found.values()]
    errors = sum(result.numerical_error for result in found.values())
    assert np.abs(gaps[0] - gaps[1]).max() <= errors


@pytest.mark.gpu
def test_a_step_of_descent_does_not_wait_for_the_device(gpu):
    import torch

    from lazycore.engine.paths.descent import NetworkDescent

    values = RunConfig(dynamics="gd").resolve().to_dict()
    problems = [build_problem(values, torch.device(gpu))] * 3
    networks = NetworkDescent(stack(problems), problems[0].w0, [0.1] * 3, [0.9] * 3)
    networks.step()
    torch.cuda.set_sync_debug_mode("error")
    try:
        networks.step()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.gpu
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_steps_that_are_one_launch_are_those_that_are_many(momentum, gpu):
    import torch

    from lazycore.engine.paths.descent import WORTH_RECORDING, NetworkDescent

    values = RunConfig(dynamics="gd").resolve().to_dict()
    problems = [build_problem(values, torch.device(gpu)).rescaled(a) for a in (0.1, 1.0, 10.0)]
    one, many = (
        NetworkDescent(stack(problems), problems[0].w0, [0.1, 0.2, 0.3], [momentum] * 3)
        for _ in range(2)
    )
    for steps in (3, WORTH_RECORDING + 1, 5, WORTH_RECORDING + 7):
        one.advance(steps)
        for _ in range(steps):
            many.step()
        assert torch.equal(one.position, many.position)
    assert "_replayed" in one.__dict__


@pytest.mark.gpu
@pytest.mark.parametrize("dynamics", ["flow", "gd"])
def test_lanes_that_go_together_on_a_gpu_are_those_of_the_cpu(dynamics):
    """Where all lanes go at once, in float64 and through the change without cancellation."""
    assert_lanes_agree(dynamics, "cuda:0")


@pytest.mark.gpu
@pytest.mark.parametrize("alpha", [1.0, 1e5])
def test_single_precision_on_a_gpu_loses_no_digits_to_alpha(alpha):
    """Products in float32 must not be rounded to shorter ones (TF32) on the way."""
    assert_single_precision_agrees(alpha, "cuda:0")


def assert_lanes_agree(dynamics: str, device: str) -> None:
    import torch

    configs = [
        RunConfig(activation="tanh", alpha=alpha, init_seed=seed, dynamics=dynamics)
        for alpha, seed in ((1.0, 1), (30.0, 2), (1e3, 3))
    ]
    found = {}
    for where in ("cpu", device):
        values = [config.resolve().to_dict() for config in configs]
        problems = [build_problem(value, torch.device(where)) for value in values]
        values = [v | choose_scales(p, v) for v, p in zip(values, problems, strict=True)]
        # Times and steps are chosen from λ_max, which rounding may change: one for both.
        scales = found.setdefault("scales", [{k: v[k] for k in CHOSEN & set(v)} for v in values])
        values = [v | scale for v, scale in zip(values, scales, strict=True)]
        record = np.array([0, 1, 50]) if dynamics == "gd" else np.array([0.0, 1.0, 20.0])
        lanes = [[] for _ in configs]
        file = spec.find("dynamics", dynamics)
        for lane, moment in file.trajectories(problems, values, [record] * 3):
            lanes[lane].append(moment)
        found[where] = problems, lanes
    for lane in range(3):
        for mine, theirs in zip(found[device][1][lane], found["cpu"][1][lane], strict=True):
            train = found["cpu"][0][lane].train
            gaps = [
                train.outputs(m.nonlinear.cpu()) - train.tangent_outputs(m.paired.cpu())
                for m in (mine, theirs)
            ]
            allowed = mine.error + theirs.error + rounding(found["cpu"][0][lane], 1000, 1.0)
            assert float(rms(gaps[0] - gaps[1])) <= allowed


def assert_single_precision_agrees(alpha: float, device: str) -> None:
    import torch

    values = RunConfig(activation="tanh", alpha=alpha, dtype="float32").resolve().to_dict()
    single = build_problem(values, torch.device(device))
    double = build_problem(values | {"dtype": "float64"}, torch.device("cpu"))
    for name in ("w0", "x", "y"):
        object.__setattr__(double.train, name, getattr(single.train, name).cpu().double())
    v = torch.as_tensor(np.random.default_rng(3).standard_normal(single.w0.shape)).float()
    found = stack([single]).gradient(v[None].to(device))
    wanted = stack([double]).gradient(v[None].double())
    for mine, theirs in zip(found, wanted, strict=True):
        assert float((mine.cpu() - theirs).norm() / theirs.norm()) <= 3e-6
