"""Calls of `compare` as people write them: batches by name, positions, wrong arguments, Ctrl-C."""

import random
from typing import Any

import numpy as np
import pytest
import torch
from module_row import Made
from module_state import changes, state
from torch import nn

from lazycore import compare
from lazycore.errors import ConfigError

F64, N = torch.float64, 6


def real(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def seeded(build) -> Any:
    torch.manual_seed(0)
    return build().double()


def net(k=1):
    return seeded(lambda: nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, k)))


class Called(nn.Module):
    """An ordinary network of two inputs, whose forward takes them as it likes."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.o = nn.Linear(3, 5), nn.Linear(2, 5), nn.Linear(5, 1)

    def body(self, p, q, scale=2.0):
        return self.o(torch.tanh(self.a(p) + scale * self.b(q)))[:, 0]


def called(forward):
    return seeded(type("Own", (Called,), {"forward": forward}))


P, Q = real(N, 3), real(N, 2, seed=2)
PACKED = {
    "by name": (lambda m, p, q: m.body(p, q), {"p": P, "q": Q}),
    "by name, one number": (
        lambda m, p, q, scale: m.body(p, q, scale),
        {"p": P, "q": Q} | {"scale": 2.0},
    ),
    "by any name": (lambda m, **b: m.body(b["p"], b["q"]), {"q": Q, "p": P, "mode": "train"}),
    "one by one": (lambda m, p, q: m.body(p, q), (P, Q)),
    "a list": (lambda m, p, q: m.body(p, q), [P, Q]),
    "a dict whole": (lambda m, batch: m.body(batch["p"], batch["q"]), {"p": P, "q": Q, "id": "x"}),
    "a tuple whole": (lambda m, pair: m.body(*pair), (P, Q)),
    "with an entry that is none": (lambda m, p, q, mask: m.body(p, q), (P, Q, None)),
}


@pytest.mark.parametrize("name", PACKED)
def test_batches_of_several_tensors_give_what_one_tensor_gives(name):
    forward, x = PACKED[name]
    plain = called(lambda m, x: m.body(x[:, :3], x[:, 3:]))
    y, options = real(N), {"steps": 10, "step_size": 0.1}
    due = compare(plain, torch.cat([P, Q], 1), y, **options).series
    m = called(forward)
    before = state(m, x, y)
    found = compare(m, x, y, x_test=x, y_test=y, **options).series
    assert changes(before, state(m, x, y)) == []
    for key in ("gap.train_output", "nonlinear.train_loss", "linearized.displacement"):
        assert np.allclose(found[key], due[key], rtol=1e-10, atol=1e-14), key
    assert np.allclose(found["gap.test_output"], due["gap.train_output"], rtol=1e-10, atol=1e-14)


def positions(k):
    return seeded(lambda: nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, k)))


@pytest.mark.parametrize("inner", [(4,), (2, 3)])
def test_each_position_is_classified_and_the_mean_is_over_positions(inner):
    m, x = positions(3), real(N, *inner, 3)
    y = torch.arange(N * int(np.prod(inner))).view(N, *inner) % 3
    options: dict[str, Any] = {
        "loss": "cross_entropy",
        "zero_output": "none",
        "steps": 5,
        "step_size": 0.1,
    }
    result = compare(m, x, y, **options)
    descent = torch.optim.SGD(m.parameters(), 0.1)
    for step in range(6):
        descent.zero_grad()
        loss = nn.functional.cross_entropy(m(x).flatten(0, -2), y.flatten())
        due = result.series["nonlinear.train_loss"][step]
        assert due == pytest.approx(float(loss.detach()), rel=1e-12)
        loss.backward()
        descent.step()
    one_hot = torch.eye(3, dtype=F64)[y]
    again = compare(positions(3), x, one_hot, **options)
    assert np.array_equal(again.series["gap.train_output"], result.series["gap.train_output"])


@pytest.mark.parametrize(("loss", "k"), [("square", 2), ("logistic", 1)])
def test_targets_of_positions_have_the_outputs_shape(loss, k):
    m, x, y = positions(k), real(N, 4, 3), real(N, 4, k, seed=3)
    y = y if loss == "square" else y.sign()
    options: dict[str, Any] = {"loss": loss, "zero_output": "none", "steps": 3, "step_size": 0.1}
    result, h = compare(m, x, y, **options), m(x).detach()
    square = 0.5 * (h - y).square().sum() / N  # summed over outputs, mean over points
    due = square if loss == "square" else nn.functional.softplus(-y * h).mean()
    assert result.series["nonlinear.train_loss"][0] == pytest.approx(float(due), rel=1e-12)


X, Y = real(N, 3), real(N)
NAN = torch.full((N, 3), torch.nan)
WRONG = {
    "module": ({"module": "net"}, "module is a str"),
    "module, a class": ({"module": nn.Linear}, "module is a type"),
    "x, no tensor": ({"x": 3}, "x must be a tensor"),
    "x, an empty dict": ({"x": {}}, "x must be a tensor"),
    "x, arrays in a dict": ({"x": {"input": np.ones((N, 3))}}, "x must be a tensor"),
    "x, NaN": ({"x": NAN}, "x holds NaN or ∞"),
    "x, NaN in a dict": ({"x": {"input": NAN}}, "x['input'] holds NaN or ∞"),
    "x, sparse in a tuple": ({"x": (X.to_sparse(),)}, "x[0] is sparse: give x[0].to_dense()"),
    "x, too many": ({"x": (X, X)}, "cannot take inputs of shape (6, 3), (6, 3)"),
    "y, none": ({"y": None}, "y is a NoneType: give a tensor of 6 targets"),
    "y, a number": ({"y": torch.tensor(1.0)}, "y has no targets for 6 points"),
    "y, complex": ({"y": Y + 1j}, "y holds complex numbers"),
    "y, sparse": ({"y": Y.to_sparse()}, "y is a sparse tensor"),
    "y, meta": ({"y": torch.ones(N, device="meta")}, "y is a meta tensor"),
    "y, NaN": ({"y": NAN[:, 0]}, "y has shape (6,) and must hold finite numbers"),
    "x_test alone": ({"x_test": X}, "x_test and y_test belong together"),
    "y_test alone": ({"y_test": Y}, "x_test and y_test belong together"),
    "x_test, NaN": ({"x_test": NAN, "y_test": Y}, "x_test holds NaN or ∞"),
    "x_test, columns": ({"x_test": X[:, :2], "y_test": Y}, "cannot take x_test of shape (6, 2)"),
    "y_test, length": ({"x_test": X, "y_test": Y[:2]}, "y_test has 2 targets for 6 points"),
    "alpha": ({"alpha": -1.0}, "alpha=-1"),
    "alpha, a list": ({"alpha": [1.0, 2.0]}, "alpha="),
    "alpha, none": ({"alpha": None}, "alpha="),
    "loss": ({"loss": "mse"}, "loss=mse"),
    "loss, a module": ({"loss": nn.MSELoss()}, "loss="),
    "zero_output": ({"zero_output": True}, "zero_output=True"),
    "dynamics": ({"dynamics": "lion"}, "dynamics='lion'"),
    "steps": ({"steps": 0}, "steps=0"),
    "steps, a half": ({"steps": 2.5}, "steps=2.5"),
    "steps, words": ({"steps": "many"}, "steps="),
    "step_size": ({"step_size": -0.1}, "step_size=-0.1"),
    "step_size, NaN": ({"step_size": float("nan")}, "step_size=nan"),
    "time of gd": ({"time": 1.0}, "time=1 is not read by dynamics=gd"),
    "tolerance of gd": ({"tolerance": 1e-3}, "tolerance=0.001 is not read by dynamics=gd"),
    "steps of flow": ({"dynamics": "flow", "steps": 3}, "steps=3 is not read by dynamics=flow"),
    "tolerance": ({"dynamics": "flow", "steps": None, "tolerance": 2.0}, "tolerance=2"),
    "record": ({"record": "all"}, "record='all' is not allowed"),
    "record, too late": ({"record": [4]}, "record must hold numbers from 0 to the end"),
}


@pytest.mark.parametrize("name", WRONG)
def test_every_message_names_an_argument_of_the_call(name):
    wrong, said = WRONG[name]
    given = {"module": net(), "x": X, "y": Y, "steps": 3} | wrong
    with pytest.raises(ConfigError) as info:
        compare(given.pop("module"), given.pop("x"), given.pop("y"), **given)
    text = str(info.value)
    assert said in text and text.endswith(".") and "\n" not in text


@pytest.mark.parametrize("at", [1, 5, 14])
@pytest.mark.parametrize("dynamics", ["gd", "flow"])
def test_an_interrupt_leaves_module_data_and_process_as_they_were(at, dynamics):
    left = [at]

    def forward(m, x):
        left[0] -= 1
        m.calls = left[0]
        if left[0] == 0:
            raise KeyboardInterrupt
        return m.o(m.n(m.a(x)))

    parts = {"a": nn.Linear(3, 4), "n": nn.BatchNorm1d(4), "o": nn.Linear(4, 1)}
    m, x, y = seeded(lambda: Made(forward, **parts)), real(N, 3), real(N)
    m.calls = 0
    options: dict[str, Any] = {"steps": 30, "step_size": 0.1} if dynamics == "gd" else {"time": 1.0}
    before = state(m, x, y)
    with pytest.raises(KeyboardInterrupt):
        compare(m, x, y, dynamics=dynamics, **options)
    assert changes(before, state(m, x, y)) == []


def test_the_callers_generators_dtype_and_modes_are_untouched_and_change_nothing():
    m = net()
    due = compare(m, X, Y, steps=5).to_dict()
    torch.set_default_dtype(F64)
    try:
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            before, drawn = state(m), (random.getstate(), torch.get_rng_state())
            found = compare(m, X, Y, steps=5).to_dict()
            assert changes(before, state(m)) == [] and torch.get_default_dtype() == F64
            assert drawn[0] == random.getstate() and drawn[1].equal(torch.get_rng_state())
    finally:
        torch.set_default_dtype(torch.float32)
    assert found == due
