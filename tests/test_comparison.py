"""A researcher's own module: equal to the engine's network, left as it was, never a traceback."""

import copy

import numpy as np
import oracle
import pytest
import torch
from torch import nn

from lazycore import compare, run
from lazycore.config.cost import Budget
from lazycore.config.run import RunConfig
from lazycore.errors import BudgetError, ConfigError
from lazycore.results.run import RunResult

N = 8


class TwoLayer(nn.Module):
    """The engine's two-layer network with ntk scaling as a module of its own."""

    def __init__(self, s: oracle.Setting):
        super().__init__()
        self.d, self.m = s.d, s.values["width"]
        copies = 2 if s.values["zero_output"] == "symmetrized" else 1
        self.full, self.m = self.m, self.m // copies
        w = s.w0[: len(s.w0) // copies]
        self.b = nn.Parameter(w[: self.m * self.d].view(self.m, self.d).clone())
        self.a = nn.Parameter(w[self.m * self.d :].view(1, self.m).clone())

    def forward(self, x):
        z = torch.tanh(x @ self.b.T / self.d**0.5)
        return (z @ self.a.T / self.full**0.5)[:, 0]


def net(inputs=3, outputs=1, width=6, seed=0):
    """Return a small module in double precision."""
    torch.manual_seed(seed)
    layers = nn.Sequential(nn.Linear(inputs, width), nn.Tanh(), nn.Linear(width, outputs))
    return layers.double()


def points(inputs=3, n=N, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, inputs, generator=generator, dtype=torch.float64)


def refused(*args, error=ConfigError, **kwargs) -> str:
    with pytest.raises(error) as info:
        compare(*args, **({} if kwargs.get("dynamics") == "flow" else {"steps": 3}) | kwargs)
    text = str(info.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("zero_output", ["none", "centered", "symmetrized"])
@pytest.mark.parametrize("dynamics", ["gd", "flow"])
def test_a_module_gives_what_the_same_network_gives(zero_output, dynamics):
    own = {"dynamics": "gd", "steps": 60} if dynamics == "gd" else {"time": 20.0}
    config = RunConfig(
        task="teacher",
        dim=3,
        n_train=N,
        n_test=5,
        width=6,
        activation="tanh",
        zero_output=zero_output,
        alpha=5.0,
        **own,
    )
    wanted, s = run(config), oracle.setting(config)
    options = {"dynamics": dynamics, "alpha": 5.0, "zero_output": zero_output}
    options |= {"steps": 60} if dynamics == "gd" else {"time": 20.0}
    y, y_test = s.y[:, 0], s.y_test[:, 0]
    found = compare(TwoLayer(s), s.x, y, x_test=s.x_test, y_test=y_test, **options)
    assert np.allclose(found.time, wanted.time)
    tolerance = 1e-9 if dynamics == "gd" else 1e-3
    for model in ("nonlinear", "linearized"):
        for key in ("train_loss", "test_loss", "displacement"):
            a, b = (r.series[f"{model}.{key}"] for r in (found, wanted))
            assert np.allclose(a, b, rtol=tolerance, atol=tolerance * np.abs(b).max()), key
    for key in ("gap.train_output", "gap.test_output", "gap.parameter"):
        a, b = found.series[key], wanted.series[key]
        assert np.abs(a - b).max() <= 2 * tolerance * np.abs(b).max() + 1e-12, key
    assert found.sparse["kernel_change"][-1] == pytest.approx(
        wanted.sparse["kernel_change"][-1], rel=10 * tolerance
    )
    assert found.verdict == wanted.verdict and found.status == "done"


def test_the_record_has_no_config_and_a_digest_of_its_content(tmp_path):
    result = compare(net(), points(), points()[:, 0], steps=5)
    record = result.to_dict()
    assert record["config"] is None and len(record["digest"]) == 16
    assert record["nonlinear"]["train_error"] is None and record["kappa"] is None
    assert RunResult.load(result.save(tmp_path / "mine.npz")).to_dict() == record
    again = compare(net(), points(), points()[:, 0], steps=5)
    assert again.digest == result.digest
    assert compare(net(), points(), points()[:, 0], steps=6).digest != result.digest


@pytest.mark.parametrize("dynamics", [{"steps": 8}, {"dynamics": "flow", "time": 0.5}])
def test_the_module_and_its_gradients_are_left_as_they_were(dynamics):
    module = net()
    module[0].weight.grad = torch.ones_like(module[0].weight)
    before = copy.deepcopy(module.state_dict())
    x, y = points().requires_grad_(), points()[:, 0]
    compare(module, x, y, **dynamics)
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())
    assert torch.equal(module[0].weight.grad, torch.ones_like(module[0].weight))
    assert module[2].weight.grad is None and x.grad is None
    assert all(p.requires_grad for p in module.parameters()) and module.training


def test_frozen_parameters_stay_and_are_no_part_of_the_weights():
    module = net()
    module[0].weight.requires_grad_(False)
    result = compare(module, points(), points()[:, 0], steps=20)
    assert result.latest["layers"] == ["0.bias", "2.weight", "2.bias"]
    assert result.latest["parameters"] == 6 + 6 + 1
    by_layer = result.series["nonlinear.displacement_by_layer"]
    assert by_layer.shape[1] == 3 and (by_layer[-1] > 0).all()


def test_a_module_that_is_linear_in_its_weights_is_its_own_linearisation():
    module = nn.Linear(3, 1).double()
    result = compare(module, points(), points()[:, 0], steps=50, alpha=0.01)
    assert np.nanmax(result.series["gap.train_output"]) <= 10 * result.numerical_error
    assert result.verdict in ("undecided", "lazy") and result.sparse["kernel_change"][-1] == 0.0


def test_batch_norm_in_evaluation_mode_trains_and_keeps_its_statistics():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 1)).double()
    module(points(n=50))
    module.eval()
    before = copy.deepcopy(module.state_dict())
    result = compare(module, points(), points()[:, 0], steps=20)
    assert result.status == "done"
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())


def test_tied_weights_are_one_parameter():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(3, 3).double()
            self.second = nn.Linear(3, 3).double()
            self.second.weight = self.first.weight

        def forward(self, x):
            return self.second(torch.tanh(self.first(x))).sum(1)

    result = compare(Tied(), points(), points()[:, 0], steps=10)
    assert result.latest["parameters"] == 9 + 3 + 3 and result.status == "done"


def test_a_convolution_takes_images_and_dtype_is_its_own():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))
    x = torch.randn(6, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    result = compare(module, x.double(), torch.arange(6) % 2, loss="cross_entropy", steps=10)
    assert result.status == "done" and result.series["nonlinear.train_error"][0] == 1.0
    assert result.numerical_error > 1e-8


def test_whole_numbers_go_into_an_embedding():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Embedding(5, 4), nn.Flatten(), nn.Linear(8, 1)).double()
    x = torch.tensor([[0, 1], [2, 3], [4, 0], [1, 4]])
    result = compare(module, x, torch.tensor([1.0, -1.0, 0.5, 0.0]), steps=10)
    assert result.status == "done" and "function.x" not in result.latest


def test_labels_of_every_loss_are_read_as_they_are_meant():
    classes = torch.arange(N) % 3
    one_hot = torch.eye(3, dtype=torch.float64)[classes]
    options = {"loss": "cross_entropy", "steps": 15}
    found = [compare(net(outputs=3), points(), y, **options) for y in (classes, one_hot)]
    found.append(compare(net(outputs=3), points(), classes.double(), **options))
    for other in found[1:]:
        assert np.array_equal(
            found[0].series["nonlinear.train_loss"], other.series["nonlinear.train_loss"]
        )
    signs = torch.where(points()[:, 0] > 0, 1, -1)
    for y in (signs, signs[:, None], signs.double()):
        result = compare(net(), points(), y, loss="logistic", steps=15)
        assert result.series["nonlinear.train_error"][0] == 1.0
        assert result.series["nonlinear.train_loss"][0] == pytest.approx(np.log(2))


def test_errors_of_a_module_are_counted_against_the_largest_output():
    classes = torch.arange(N) % 3
    module = net(outputs=3)
    result = compare(module, points(), classes, loss="cross_entropy", zero_output="none", steps=1)
    wrong = (module(points()).argmax(1) != classes).double().mean()
    assert result.series["nonlinear.train_error"][0] == pytest.approx(float(wrong))


@pytest.mark.parametrize("dynamics", ["gd", "flow"])
def test_recorded_times_can_be_chosen(dynamics):
    options = {"gd": {"steps": 20, "step_size": 0.5}, "flow": {"time": 10.0}}[dynamics]
    options = options | {"dynamics": dynamics}
    result = compare(net(), points(), points()[:, 0], record=[4, 2], **options)
    wanted = [0.0, 1.0, 2.0, 10.0] if dynamics == "gd" else [0.0, 2.0, 4.0, 10.0]
    assert np.allclose(result.time, wanted)


# ── calls that are wrong ─────────────────────────────────────────────────────────────────


def test_what_the_dynamics_does_not_read_is_refused():
    x, y = points(), points()[:, 0]
    assert "time=3 is not read by dynamics=gd" in refused(net(), x, y, steps=20, time=3.0)
    assert "momentum=0.5 is not read by dynamics=adam" in refused(
        net(), x, y, dynamics="adam", momentum=0.5
    )
    said = refused(net(), x, y, dynamics="flow", step_size=0.3, time=1.0)
    assert "step_size=0.3 is not read by dynamics=flow" in said


def test_it_trains_where_gradients_are_switched_off():
    x, y = points(), points()[:, 0]
    with torch.no_grad():
        assert compare(net(), x, y, steps=5).status == "done"


def test_tensors_made_for_inference_are_copied():
    with torch.inference_mode():
        x = points() + 0.0
        assert compare(net(), x, x[:, 0] + 0.0, steps=5).status == "done"


def test_wrong_words_and_numbers_are_refused():
    x, y = points(), points()[:, 0]
    assert "y is a list: give a tensor of" in refused(net(), x, y.tolist())
    assert "record=5" in refused(net(), x, y, record=5)
    assert "record=[[1, 2]]" in refused(net(), x, y, record=[[1, 2]])
    assert "dynamics='rmsprop'" in refused(net(), x, y, dynamics="rmsprop")
    assert "batch_size=9" in refused(net(), x, y, dynamics="sgd", batch_size=9)
    assert "progress=" in refused(net(), x, y, progress="yes")
    assert "budget=3" in refused(net(), x, y, budget=3)
    assert "loss=['square']" in refused(net(), x, y, loss=["square"])
    assert "record must hold numbers" in refused(net(), x, y, record=[None])
    assert "loss=hinge" in refused(net(), x, y, loss="hinge")
    assert "zero_output=maybe" in refused(net(), x, y, zero_output="maybe")
    for alpha in (0.0, -1.0, float("nan"), float("inf"), "1"):
        assert "alpha=" in refused(net(), x, y, alpha=alpha)
    for steps in (0, -1, 2.5, 10**16):
        assert "steps=" in refused(net(), x, y, steps=steps)
    assert "step_size=" in refused(net(), x, y, step_size=0.0)
    assert "time=" in refused(net(), x, y, dynamics="flow", time=-1.0)
    assert "tolerance=" in refused(net(), x, y, dynamics="flow", tolerance=0.0)


def test_what_is_no_module_or_has_nothing_to_train_is_refused():
    x, y = points(), points()[:, 0]
    assert "torch.nn.Module" in refused(lambda z: z, x, y)
    assert "no parameters" in refused(nn.Tanh(), x, y)
    frozen = net()
    for parameter in frozen.parameters():
        parameter.requires_grad_(False)
    assert "no parameters" in refused(frozen, x, y)


@pytest.mark.parametrize(
    "x", [None, "x", [[1.0]], np.ones((3, 3)), torch.ones(0, 3), torch.tensor(1.0)]
)
def test_points_that_are_no_tensor_of_points_are_refused(x):
    assert "at least one point" in refused(net(), x, torch.ones(3))


def test_points_that_are_not_finite_are_refused():
    x = points()
    x[2, 1] = torch.nan
    assert "NaN" in refused(net(), x, points()[:, 0])


def test_points_that_the_module_cannot_take_are_refused():
    text = refused(net(inputs=4), points(inputs=3), points()[:, 0])
    assert "cannot take inputs of shape (8, 3)" in text


def test_outputs_that_are_no_column_are_refused():
    class Strange(nn.Module):
        def __init__(self, shape):
            super().__init__()
            self.w, self.shape = nn.Parameter(torch.ones(1, dtype=torch.float64)), shape

        def forward(self, x):
            return self.w * torch.ones(self.shape, dtype=torch.float64)

    for shape in ((N + 1,), (1,), (N, 0), ()):
        assert "must be (n,) or (n, k)" in refused(Strange(shape), points(), points()[:, 0])


@pytest.mark.parametrize("wrap", [lambda o: (o, o), lambda o: {"out": o}, lambda o: 3.0])
def test_outputs_that_are_no_tensor_are_refused(wrap):
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = net()

        def forward(self, x):
            return wrap(self.inner(x))

    refused(Wrapped(), points(), points()[:, 0])


def test_dropout_in_training_mode_is_refused():
    module = nn.Sequential(nn.Linear(3, 50), nn.Dropout(0.5), nn.Linear(50, 1)).double()
    assert "eval()" in refused(module, points(), points()[:, 0])
    assert compare(module.eval(), points(), points()[:, 0], steps=3).status == "done"


def test_points_and_targets_of_different_lengths_are_refused():
    assert "7 targets for 8 points" in refused(net(), points(), torch.ones(7))
    assert "y is a float" in refused(net(), points(), 3.0)
    assert "y is a list: give a tensor of 8 targets" in refused(net(), points(), [1.0, 2.0, 3.0])
    assert "y_test" in refused(
        net(), points(), points()[:, 0], x_test=points(), y_test=torch.ones(2)
    )


def test_test_points_without_targets_are_refused():
    assert "give both or neither" in refused(net(), points(), points()[:, 0], x_test=points())
    assert "give both or neither" in refused(net(), points(), points()[:, 0], y_test=points())


@pytest.mark.parametrize(
    ("outputs", "loss", "y"),
    [
        (1, "logistic", torch.zeros(N)),
        (1, "logistic", torch.arange(N)),
        (1, "logistic", torch.ones(N, 2)),
        (2, "logistic", torch.ones(N)),
        (1, "cross_entropy", torch.zeros(N)),
        (3, "cross_entropy", torch.arange(N)),
        (3, "cross_entropy", -torch.ones(N)),
        (3, "cross_entropy", torch.full((N,), 0.5)),
        (3, "cross_entropy", torch.full((N,), torch.nan)),
        (3, "cross_entropy", torch.ones(N, 1, dtype=torch.long)),
        (3, "cross_entropy", torch.full((N, 3), 1 / 3)),
        (3, "cross_entropy", torch.eye(4)[torch.arange(N) % 3]),
        (3, "square", torch.ones(N)),
        (1, "square", torch.ones(N, 2)),
        (1, "square", torch.full((N,), torch.inf)),
    ],
    ids=range(15),
)
def test_targets_that_a_loss_cannot_take_are_refused(outputs, loss, y):
    text = refused(net(outputs=outputs), points(), y, loss=loss)
    assert "y" in text and ("fit" in text or "must hold finite numbers" in text)


def test_records_outside_the_run_are_refused():
    x, y = points(), points()[:, 0]
    for record in ([4], [-1], [float("nan")], [0.5]):
        assert "record must hold" in refused(net(), x, y, steps=3, record=record)
    assert "record must hold" in refused(net(), x, y, dynamics="flow", time=1.0, record=[2.0])


def test_a_comparison_that_is_too_long_is_refused_with_the_steps_that_fit():
    text = refused(net(), points(), points()[:, 0], steps=10**12, error=BudgetError)
    assert "steps=1,000,000,000,000" in text and "give at most" in text
    x, y = points(), points()[:, 0]
    assert compare(net(), x, y, steps=3, budget=None).status == "done"
    short = compare(net(), x, y, dynamics="flow", time=1e3, budget=Budget(evaluations=300))
    assert short.status == "budget"
