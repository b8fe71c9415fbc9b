"""Every quantity of the contract against a computation of its own, on whole small runs."""

import numpy as np
import oracle
import pytest
import torch

from lazycore import run
from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.engine.measures.kappa import kappa, second_derivative_norm
from lazycore.engine.measures.labels import share_of_errors
from lazycore.engine.problem.anchor import Anchor
from lazycore.engine.problem.problem import build_problem

TINY = {"n_train": 6, "n_test": 4, "width": 4, "dynamics": "gd", "steps": 30, "alpha": 4.0}
RUNS = {
    "centred": {"task": "teacher", "dim": 3, "activation": "tanh"},
    "plain": {"task": "teacher", "dim": 3, "zero_output": "none", "bias": "normal", "noise": 0.2},
    "deep": {
        "task": "circles",
        "model": "fully_connected",
        "loss": "logistic",
        "zero_output": "symmetrized",
        "alpha": 1.0,
        "activation": "tanh",
        "width": 8,
    },
    "ten": {"task": "digits", "labels": "ten", "loss": "cross_entropy"},
    "ten_square": {"task": "digits", "labels": "ten", "zero_output": "none"},
}


@pytest.fixture(scope="module")
def runs():
    """Each run beside the oracle's two paths at its recorded steps."""
    found = {}
    for name, fields in RUNS.items():
        config = RunConfig(**(TINY | fields))
        result, s = run(config), oracle.setting(config)
        eta = result.latest["step_size"]
        steps = np.rint(result.time / eta).astype(int)
        walks = [oracle.descend(s.objective(m), s.w0, eta) for m in (s.h, s.h_bar)]
        paths = [[w for _, w in zip(range(31), walk, strict=False)] for walk in walks]
        found[name] = (result, s, [[path[k] for k in steps] for path in paths])
    return found


@pytest.mark.parametrize("name", RUNS)
def test_losses_errors_displacements_and_gaps_are_those_of_the_contract(runs, name):
    result, s, (w, w_bar) = runs[name]
    sets = {"train": (s.x, s.y), "test": (s.x_test, s.y_test)}
    expected = {f"gap.{part}_output": [] for part in sets} | {"gap.parameter": []}
    for a, b in zip(w, w_bar, strict=True):
        expected["gap.parameter"].append(float((a - b).norm()))
        for part, (x, _) in sets.items():
            gap = s.alpha * s.h(a, x) - s.alpha * s.h_bar(b, x)
            expected[f"gap.{part}_output"].append(oracle.rms(gap))
    for model, path, h in (("nonlinear", w, s.h), ("linearized", w_bar, s.h_bar)):
        expected[f"{model}.displacement"] = [float((u - s.w0).norm()) for u in path]
        start = s.alpha * h(s.w0, s.x)
        change = [oracle.rms(s.alpha * h(u, s.x) - start) for u in path]
        expected[f"{model}.output_change"] = change
        for part, (x, y) in sets.items():
            outputs = [s.alpha * h(u, x) for u in path]
            expected[f"{model}.{part}_loss"] = [float(s.risk(f, y)) for f in outputs]
            if s.values["task"] != "teacher":
                errors = [oracle.error(f, y) for f in outputs]
                # A tie at the start is an error whatever the largest index is.
                errors[0] = 1.0 if s.values["zero_output"] != "none" else errors[0]
                expected[f"{model}.{part}_error"] = errors
    for key, values in expected.items():
        scale = max(np.abs(values).max(), 1e-6)
        assert np.allclose(result.series[key], values, rtol=1e-9, atol=1e-10 * scale), key
    present = {k for k in result.series if k.endswith(("_error", "_loss"))}
    assert present == {k for k in expected if k.endswith(("_error", "_loss"))}


@pytest.mark.parametrize("name", RUNS)
def test_kernel_change_and_alignment_are_those_of_explicit_jacobians(runs, name):
    result, s, (w, _) = runs[name]
    places = np.searchsorted(result.time, result.kernel_time)
    assert list(result.time[places]) == list(result.kernel_time)
    first = s.jacobian(s.x).flatten(0, 1)
    first = first @ first.T
    y = s.y.flatten()
    for number, place in enumerate(places):
        j = s.jacobian(s.x, w[place]).flatten(0, 1)
        kernel = j @ j.T
        change = float((kernel - first).norm() / first.norm())
        assert result.sparse["kernel_change"][number] == pytest.approx(change, abs=1e-10)
        aligned = float(y @ kernel @ y / (kernel.norm() * y.norm() ** 2))
        assert result.sparse["alignment.nonlinear"][number] == pytest.approx(aligned, abs=1e-10)
    assert result.sparse["kernel_change"][0] == 0.0
    assert result.kernel_time[-1] == result.time[-1]


@pytest.mark.parametrize("name", RUNS)
def test_activation_stability_counts_signs_that_are_kept(runs, name):
    result, s, (w, _) = runs[name]
    before = s.hidden(s.w0, s.x)
    for number, u in enumerate(w):
        shares = [
            np.mean([(a > 0) == (b > 0) for a, b in zip(x.flatten(), y.flatten(), strict=True)])
            for x, y in zip(before, s.hidden(u, s.x), strict=True)
        ]
        found = result.series["activation_stability"][number]
        assert found == pytest.approx(np.mean(shares), abs=1e-12)
    assert name != "deep" or shares[0] != shares[1], "layers that move alike would test nothing"
    assert result.series["activation_stability"][0] == 1.0


@pytest.mark.parametrize("name", RUNS)
def test_displacement_by_layer_adds_up_to_the_displacement(runs, name):
    result, s, (w, _) = runs[name]
    layers = result.latest["layers"]
    assert layers[-1] == "output layer" and len(layers) == len(set(layers))
    by_layer = result.series["nonlinear.displacement_by_layer"]
    assert by_layer.shape == (len(result.time), len(layers))
    whole = np.sqrt((by_layer**2).sum(1))
    assert np.allclose(whole, result.series["nonlinear.displacement"], rtol=1e-12)
    shapes = oracle.layer_shapes(s.values, s.d, s.k)
    biased = s.values["bias"] != "none"
    copies = 2 if s.values["zero_output"] == "symmetrized" else 1
    move, sizes = (w[-1] - s.w0).reshape(copies, -1), [o * (i + biased) for o, i in shapes]
    parts = [float(part.norm()) for part in move.split(sizes, dim=1)]
    assert np.allclose(by_layer[-1], parts, rtol=1e-9)


def test_losses_are_not_divided_by_alpha_squared():
    for alpha in (1.0, 1000.0):
        config = RunConfig(**(TINY | {"alpha": alpha, "task": "sine"}))
        y = oracle.setting(config).y
        assert run(config).series["nonlinear.train_loss"][0] == pytest.approx(
            float(0.5 * (y**2).mean()), rel=1e-12
        )


@pytest.mark.parametrize("zero_output", ["centered", "symmetrized"])
@pytest.mark.parametrize("loss", ["logistic", "square", "cross_entropy"])
def test_a_zeroed_model_of_two_classes_is_wrong_everywhere_at_time_zero(zero_output, loss):
    config = RunConfig(**(TINY | {"task": "circles", "zero_output": zero_output, "loss": loss}))
    result = run(config)
    for model in ("nonlinear", "linearized"):
        for part in ("train", "test"):
            assert result.series[f"{model}.{part}_error"][0] == 1.0


def test_errors_of_ten_classes_are_those_of_the_largest_output(runs):
    problem = build_problem(
        RunConfig(**(TINY | RUNS["ten"])).resolve().to_dict(), torch.device("cpu")
    )
    y = problem.targets
    assert share_of_errors(y, y) == 0.0
    wrong = y.roll(1, dims=1)
    assert share_of_errors(wrong, y) == 1.0
    mixed = y.clone()
    mixed[:2] = wrong[:2]
    assert share_of_errors(mixed, y) == pytest.approx(2 / 6)
    assert share_of_errors(torch.zeros_like(y), y) == 1.0


def test_a_run_without_test_points_has_null_for_them():
    record = run(RunConfig(**(TINY | {"task": "sine", "n_test": 0}))).to_dict()
    for model in ("nonlinear", "linearized"):
        assert record[model]["test_loss"] is None and record[model]["test_error"] is None
        assert record[model]["train_error"] is None
    assert record["gap"]["test_output"] is None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "fields",
    [
        {"activation": "tanh"},
        {"activation": "softplus", "bias": "normal"},
        {"activation": "tanh", "zero_output": "symmetrized", "width": 6, "scaling": "plain"},
        {"activation": "linear"},
        {"activation": "tanh", "zero_output": "none", "scaling": "mean_field"},
    ],
)
def test_kappa_of_a_tiny_network_is_that_of_its_whole_second_derivative(fields, seed):
    options = {"task": "teacher", "n_train": 5, "n_test": 0, "dim": 2, "width": 3, "alpha": 3.0}
    config = RunConfig(**(options | fields), seed=seed)
    problem = build_problem(config.resolve().to_dict(), torch.device("cpu"))
    wanted = oracle.kappa(oracle.setting(config), tries=12)
    assert 0.97 * wanted <= kappa(problem) <= wanted * (1 + 1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_kappa_of_a_deep_network_is_close_to_and_never_above_the_whole_one(seed):
    config = RunConfig(
        task="teacher",
        n_train=4,
        n_test=0,
        dim=2,
        width=2,
        model="fully_connected",
        activation="tanh",
        seed=seed,
    )
    problem = build_problem(config.resolve().to_dict(), torch.device("cpu"))
    wanted = oracle.kappa(oracle.setting(config), tries=12)
    assert 0.75 * wanted <= kappa(problem) <= wanted * (1 + 1e-6)


def test_kappa_falls_as_one_over_alpha_and_is_null_where_it_has_no_meaning():
    def of(**fields):
        values = RunConfig(n_train=5, dim=3, width=4, **fields).resolve().to_dict()
        return kappa(build_problem(values, torch.device("cpu")))

    assert of(activation="tanh", alpha=50.0) == pytest.approx(of(activation="tanh") / 50.0)
    assert of(activation="relu") is None and of(activation="tanh", loss="logistic") is None
    blank = RunConfig(task="digits", n_train=1, n_test=0, width=4, activation="tanh")
    assert kappa(build_problem(blank.resolve().to_dict(), torch.device("cpu"))) is None


def test_a_network_that_is_linear_in_its_weights_has_no_second_derivative():
    values = RunConfig(
        n_train=4, dim=2, width=3, model="fully_connected", activation="linear"
    ).resolve()
    problem = build_problem(values.to_dict(), torch.device("cpu"))
    flat = Anchor(Flat(problem.network.blocks), problem.w0, problem.train.x)
    assert second_derivative_norm(flat) == 0.0


class Flat:
    """h(w, x) = the first weight, whatever x."""

    smooth = True

    def __init__(self, blocks):
        self.blocks = blocks

    def __call__(self, w, x):
        return w[:1].expand(len(x), 1)

    def pullback(self, w, x):
        return self(w, x), lambda r: torch.cat([r.sum()[None], w[1:] * 0.0])

    def second_derivative_norm(self, w, x):
        return None


@pytest.mark.parametrize(("task", "points"), [("sine", 201), ("circles", 41 * 41)])
def test_learned_functions_are_drawn_on_a_grid_that_covers_the_data(task, points):
    config = RunConfig(**(TINY | {"task": task, "width": 6}))
    result, s = run(config), oracle.setting(config)
    grid = result.latest["function.x"]
    assert grid.shape == (points, s.d)
    assert (grid.min(0) < s.x.numpy().min(0)).all() and (grid.max(0) > s.x.numpy().max(0)).all()
    eta = result.latest["step_size"]
    some = torch.from_numpy(grid[::200].copy())
    for name, model in (("nonlinear", s.h), ("linearized", s.h_bar)):
        walk = oracle.descend(s.objective(model), s.w0, eta)
        w = [u for _, u in zip(range(31), walk, strict=False)][-1]
        shown = result.latest[f"function.{name}"][::200]
        assert np.allclose(shown, (s.alpha * model(w, some)).numpy(), rtol=1e-8, atol=1e-10)
    assert np.array_equal(result.latest["data.x"], s.x.numpy())
    assert np.array_equal(result.latest["data.y"], s.y.numpy())


def test_paths_of_neurons_are_recorded_for_two_inputs_and_both_models():
    config = RunConfig(**(TINY | {"task": "circles", "width": 6, "zero_output": "symmetrized"}))
    result, s = run(config), oracle.setting(config)
    assert result.sparse["neurons.nonlinear"].shape == (len(result.kernel_time), 6, 2)
    half = len(s.w0) // 2
    b, a = s.w0[:9].view(3, 3)[:, :2], s.w0[9:12]
    first = (a.abs()[:, None] * b).numpy()
    for model in ("nonlinear", "linearized"):
        start = result.sparse[f"neurons.{model}"][0]
        assert np.allclose(start, np.concatenate([first, first]), rtol=1e-6)
    signs = np.sign(a.numpy())
    assert np.array_equal(result.latest["neurons.sign"], np.concatenate([signs, -signs]))
    assert half == 13
    assert "neurons.nonlinear" not in run(RunConfig(**(TINY | {"task": "sine"}))).sparse


def test_the_largest_eigenvalue_and_default_scales_are_those_of_the_jacobian():
    for loss, curvature in (("square", 1.0), ("logistic", 0.25), ("cross_entropy", 0.5)):
        config = RunConfig(**(TINY | {"task": "circles", "loss": loss}))
        result, s = run(config), oracle.setting(config)
        jacobian = s.jacobian(s.x).flatten(0, 1) / len(s.x) ** 0.5
        largest = float(torch.linalg.matrix_norm(jacobian, 2)) ** 2
        assert result.latest["lambda_max"] == pytest.approx(largest, rel=1e-6)
        assert result.latest["step_size"] == pytest.approx(1.0 / (curvature * largest), rel=1e-6)
        assert spec.find("loss", loss).SPEC.facts["curvature"] == curvature


@pytest.mark.parametrize("loss", ["square", "logistic", "cross_entropy"])
def test_losses_and_their_gradients_are_those_of_torch(loss):
    file = spec.find("loss", loss)
    generator = torch.Generator().manual_seed(0)
    k = 1 if loss == "logistic" else 3
    f = 3.0 * torch.randn(50, k, generator=generator, dtype=torch.float64)
    y = torch.where(torch.rand(50, 1, generator=generator) < 0.5, -1.0, 1.0).double()
    if loss == "cross_entropy":
        y = torch.eye(3, dtype=torch.float64)[torch.randint(0, 3, (50,), generator=generator)]
    elif loss == "square":
        y = torch.randn(50, 3, generator=generator, dtype=torch.float64)
    assert file.per_point(f, y).shape == (50,)
    assert float(file.per_point(f, y).mean()) == pytest.approx(float(oracle.risk(loss, f, y)))
    gradient = torch.func.grad(lambda g: 50 * oracle.risk(loss, g, y))(f)
    assert torch.allclose(file.gradient(f, y), gradient, atol=1e-14)
    extreme = 1e4 * f.sign()
    assert torch.isfinite(file.per_point(extreme, y)).all()
    assert torch.isfinite(file.gradient(extreme, y)).all()
    # The curvature is the largest eigenvalue of ℓ'' over all outputs, from above and reached.
    at = torch.cat([f, torch.zeros(1, k, dtype=torch.float64)])
    targets = torch.cat([y, y[:1]])
    hessian = torch.func.vmap(torch.func.hessian(lambda g, t: file.per_point(g[None], t[None])[0]))(
        at, targets
    )
    largest = float(torch.linalg.eigvalsh(hessian).max())
    bound = file.SPEC.facts["curvature"]
    assert largest <= bound + 1e-12 and (largest >= 0.6 * bound)
