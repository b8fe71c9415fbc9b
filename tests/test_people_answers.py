"""What `compare` says of runs that learn nothing, fine-tune, or round: verdicts, notes, errors."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from module_row import Made
from torch import nn

from lazycore import compare
from lazycore.errors import ConfigError
from lazycore.running.compare import fine_tune

F64 = torch.float64


def drawn(*shape, seed=0, dtype=F64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=F64).to(dtype)


# ── what is lazy, and what merely learned nothing ────────────────────────────────────────


@pytest.fixture(scope="module")
def fitted():
    """A network that has learned its targets, its points, and the targets."""
    torch.manual_seed(0)
    m = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
    m, x = m.double(), drawn(60, 6)
    y, descent = torch.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2], torch.optim.Adam(m.parameters(), 1e-2)
    for _ in range(500):
        descent.zero_grad()
        (m(x)[:, 0] - y).square().mean().backward()
        descent.step()
    return m, x, y + 0.1 * x[:, 3]


def test_taking_a_trained_modules_outputs_away_is_said(fitted):
    with pytest.warns(UserWarning, match="lazycore.fine_tune") as warned:
        result = compare(*fitted, steps=30)
    assert len(warned) == 1 and result.notes == [str(warned[0].message)]
    own = 0.5 * (fitted[0](fitted[1])[:, 0] - fitted[2]).square().mean().detach()
    assert f"(loss {float(own):.3g}, " in result.notes[0]
    with pytest.warns(UserWarning, match="zero_output=symmetrized takes its outputs away"):
        compare(*fitted, steps=3, zero_output="symmetrized")


def test_fine_tuning_starts_from_what_was_learned_and_is_lazy(fitted):
    m, x, new = fitted
    result = fine_tune(m, x, new, steps=300)
    own = 0.5 * (m(x)[:, 0] - new).square().mean().detach()
    assert result.series["nonlinear.train_loss"][0] == pytest.approx(float(own), rel=1e-12)
    assert 0.004 < float(own) < 0.007
    assert result.verdict == "lazy" and result.notes == []


@pytest.mark.parametrize("given", [{"alpha": 2.0}, {"zero_output": "none"}])
def test_fine_tuning_takes_no_scale_and_no_other_start(fitted, given):
    with pytest.raises(ConfigError, match="is not for fine_tune, .* give it to compare"):
        fine_tune(*fitted, **given)


def test_nothing_learned_is_undecided_and_says_how_much():
    torch.manual_seed(0)
    x = torch.rand(60, 4, dtype=F64) * torch.tensor([1.0, 50.0, 1e3, 1e5], dtype=F64)
    m = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 1)).double()
    result = compare(m, x, 2 * x[:, 0] - 1)
    assert result.verdict == "undecided"
    losses = (result.series[f"{model}.train_loss"] for model in ("nonlinear", "linearized"))
    assert result.learned == pytest.approx(max(1.0 - loss.min() / loss[0] for loss in losses))
    assert 0.0 < result.learned < 0.1


# ── dtypes ───────────────────────────────────────────────────────────────────────────────


def mixed(a, b) -> Any:
    def forward(m, x):
        return m.o(torch.tanh(m.a(x.to(m.a.weight.dtype))).to(m.o.weight.dtype))

    torch.manual_seed(0)
    return Made(forward, a=nn.Linear(4, 8).to(a), o=nn.Linear(8, 1).to(b))


@pytest.mark.parametrize("coarse", [torch.bfloat16, torch.float16])
def test_a_coarse_body_that_is_trained_in_float32_is_said(coarse):
    m, x, y = mixed(coarse, torch.float32), drawn(10, 4), drawn(10, seed=1)
    said = f"{str(coarse).removeprefix('torch.')} and float32: it is trained in float32"
    with pytest.warns(UserWarning, match=said):
        result = compare(m, x, y, steps=30)
    assert [said in note for note in result.notes] == [True]
    assert m.a.weight.dtype == coarse
    raised = compare(copy.deepcopy(m).float(), x, y, steps=30)
    assert np.array_equal(raised.series["gap.train_output"], result.series["gap.train_output"])


def test_a_module_of_two_precisions_runs_and_has_the_error_of_the_coarser():
    def forward(m, x):
        return m.o(torch.tanh(m.a(x.float())).double())

    m, x, y = mixed(torch.float32, F64), drawn(10, 4), drawn(10, seed=1)
    m.computed = forward
    with pytest.warns(UserWarning, match="float32 and float64: each stays in its own dtype"):
        result = compare(m, x, y, steps=30, step_size=0.1, alpha=10.0)
    whole = mixed(F64, F64)
    whole.load_state_dict(m.state_dict())
    fine = compare(whole, x, y, steps=30, step_size=0.1, alpha=10.0)
    key = "gap.train_output"
    apart = np.abs(result.series[key] - fine.series[key]).max()
    assert apart <= result.numerical_error
    assert fine.numerical_error < 1e-9 < 1e-7 < result.numerical_error < 1e-3


def test_numbers_are_the_same_under_the_callers_autocast():
    torch.manual_seed(0)
    m = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))
    x, y = drawn(20, 4, dtype=torch.float32), drawn(20, seed=1, dtype=torch.float32)
    options = {"steps": 60, "step_size": 0.1, "alpha": 100.0}
    plain = compare(m, x, y, **options)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = compare(m, x, y, **options)
        assert torch.is_autocast_enabled("cpu")
    assert under.to_dict() == plain.to_dict()
