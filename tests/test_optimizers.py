"""`compare` under optimisers, against torch.optim on the module and on an explicit linear model."""

import copy
import itertools

import numpy as np
import pytest
import torch
from torch import nn

from lazycore import compare
from lazycore.dynamics.sgd import batches
from lazycore.errors import ConfigError

N, STEPS, SEED, ALPHA = 12, 30, 5, 3.0
CASES = {
    "sgd": ({"dynamics": "sgd", "batch_size": 4}, torch.optim.SGD, {}),
    "momentum": (
        {"dynamics": "sgd", "batch_size": 4, "momentum": 0.8},
        torch.optim.SGD,
        {"momentum": 0.8},
    ),
    "weight decay": (
        {"dynamics": "gd", "weight_decay": 0.3},
        torch.optim.SGD,
        {"weight_decay": 0.3},
    ),
    "decay and momentum": (
        {"dynamics": "gd", "weight_decay": 0.3, "momentum": 0.5},
        torch.optim.SGD,
        {"weight_decay": 0.3, "momentum": 0.5},
    ),
    "full momentum": ({"dynamics": "gd", "momentum": 0.8}, torch.optim.SGD, {"momentum": 0.8}),
    "adam": ({"dynamics": "adam"}, torch.optim.Adam, {}),
    "adam on batches": (
        {"dynamics": "adam", "batch_size": 5, "weight_decay": 0.1},
        torch.optim.Adam,
        {"weight_decay": 0.1},
    ),
}


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 7), nn.Tanh(), nn.Linear(7, 1)).double()


def data():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(N, 3, generator=generator, dtype=torch.float64)
    return x, torch.sin(2 * x[:, :1])


def explicit(module, x):
    """Return the Jacobian (n, p), row by row."""
    weights = [*module.parameters()]
    rows = [torch.autograd.grad(o, weights, retain_graph=True) for o in module(x)[:, 0]]
    return torch.stack([torch.cat([g.reshape(-1) for g in row]) for row in rows])


def trained(options, optimizer, settings, step_size):
    """Return the training losses of both models by plain loops over torch.optim."""
    x, y = data()
    module, start = net(), net()
    h0 = start(x).detach()
    rows = [
        torch.autograd.grad(o, [*start.parameters()], retain_graph=True) for o in start(x)[:, 0]
    ]
    jacobian = torch.stack([torch.cat([g.reshape(-1) for g in row]) for row in rows])
    w0 = torch.cat([p.detach().reshape(-1) for p in start.parameters()])
    flat = nn.Parameter(w0.clone())
    models = {
        "nonlinear": (lambda i: ALPHA * (module(x[i]) - h0[i]), [*module.parameters()]),
        "linearized": (lambda i: ALPHA * (jacobian[i] @ (flat - w0))[:, None], [flat]),
    }
    size = options.get("batch_size", N)
    found = {}
    for name, (outputs, weights) in models.items():
        stream = batches(N, size, SEED) if size < N else itertools.repeat(np.arange(N))
        rule = optimizer(weights, lr=step_size, **settings)
        losses = []
        for _ in range(STEPS + 1):
            with torch.no_grad():
                losses.append(0.5 * float((outputs(range(N)) - y).square().mean()))
            i = next(stream)
            rule.zero_grad()
            (0.5 * (outputs(i) - y[i]).square().mean() / ALPHA**2).backward()
            rule.step()
        found[name] = np.array(losses)
    return found


@pytest.mark.parametrize("case", CASES)
def test_both_models_follow_the_optimizer_of_torch(case):
    options, optimizer, settings = CASES[case]
    x, y = data()
    step_size = 0.01 if optimizer is torch.optim.Adam else 0.4
    seed = {} if options["dynamics"] == "gd" else {"batch_seed": SEED}
    result = compare(
        net(), x, y, alpha=ALPHA, steps=STEPS, step_size=step_size, record=range(STEPS + 1),
        **options, **seed,
    )  # fmt: skip
    due = trained(options, optimizer, settings, step_size)
    for model, losses in due.items():
        assert np.allclose(result.series[f"{model}.train_loss"], losses, rtol=1e-8, atol=1e-14)
    assert result.latest["rounding"] == "measured" and result.status == "done"


def test_large_alpha_makes_adam_lazy_too():
    x, y = data()
    gaps = []
    for alpha in (10.0, 1000.0):
        result = compare(
            net(), x, y, alpha=alpha, dynamics="adam", steps=200, step_size=0.02 / alpha
        )
        gaps.append(np.nanmax(result.series["gap.train_output"]))
    assert gaps[1] < 0.02 * gaps[0]


def test_the_module_is_left_as_it_was_by_every_optimizer():
    x, y = data()
    for options, *_ in CASES.values():
        module = net()
        before = copy.deepcopy(module.state_dict())
        compare(module, x, y, steps=5, **options)
        assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


def test_batches_of_points_that_belong_together_are_refused():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Linear(5, 1)).double()
    x, y = data()
    with pytest.raises(
        ConfigError, match="batch_size=4 is not allowed: the module's outputs depend"
    ):
        compare(module, x, y, dynamics="sgd", batch_size=4, steps=3)
    assert compare(module, x, y, dynamics="sgd", batch_size=N, steps=3).status == "done"


def test_the_kernel_is_kept_before_and_after_where_it_is_asked_for():
    x, y = data()
    result = compare(net(), x, y, alpha=0.5, steps=200, kernels=True)
    before, after = result.latest["kernel_before"], result.latest["kernel_after"]
    jacobian = explicit(net(), x)
    assert np.allclose(before, (jacobian @ jacobian.T).numpy())
    change = np.linalg.norm(after - before) / np.linalg.norm(before)
    assert change == pytest.approx(result.sparse["kernel_change"][-1], rel=1e-9)
    assert "kernel_before" not in compare(net(), x, y, steps=3).latest
