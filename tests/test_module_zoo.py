"""`compare` on a table of people's modules: right, or refused in a sentence; never changed."""

import functools
import re
import traceback
import warnings
from dataclasses import dataclass
from typing import Any

import module_oracle
import numpy as np
import pytest
import torch
from module_row import F64, Row, linear, small
from module_state import changes, state
from module_zoo import ROWS
from torch import nn

from lazycore import RunResult, compare
from lazycore.errors import LazyLabError

COMPARED = (
    "nonlinear.train_loss",
    "linearized.train_loss",
    "nonlinear.displacement",
    "linearized.displacement",
    "gap.train_output",
    "gap.parameter",
)
ROUNDING = 1e-13
GIVES_NUMBERS = [row for row in ROWS if row.refused is None or row.either]
REFUSED = [row for row in ROWS if row.refused is not None and not row.either]


@dataclass
class Outcome:
    """What one call gave or raised, and what it left changed."""

    result: RunResult | None
    error: Exception | None
    changed: list[str]


def with_gradients(module: Any) -> None:
    """Give every other weight a gradient, as after a training step of the person's own."""
    weights = [*module.parameters()] if isinstance(module, nn.Module) else []
    for p in weights[::2]:
        lazy = isinstance(p, nn.parameter.UninitializedTensorMixin)
        if p.is_leaf and p.requires_grad and p.grad is None and not lazy and not p.is_inference():
            p.grad = torch.full_like(p, 0.5)


@functools.cache
def outcome(index: int) -> Outcome:
    """Return what `compare` does with a row; each row is run once for all tests."""
    row = ROWS[index]
    module, x, y, options = row.made()
    with_gradients(module)
    result = error = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with row.around():
            before = state(module, x, y)
            try:
                result = compare(module, x, y, **options)
            except Exception as raised:
                error = raised
            changed = changes(before, state(module, x, y))
    return Outcome(result, error, changed)


def table(rows: list[Row]):
    return pytest.mark.parametrize("row", rows, ids=str)


def found(row: Row) -> Outcome:
    return outcome(ROWS.index(row))


def sentence(error: Exception, pattern: str | None) -> None:
    """Assert that an error is one sentence for a person, and that it says what is due."""
    if not isinstance(error, LazyLabError):
        where = traceback.extract_tb(error.__traceback__)[-1]
        raise AssertionError(
            f"{type(error).__name__}: {str(error)[:160]!r} at {where.filename}:{where.lineno}"
        ) from error
    said = str(error)
    assert pattern is not None, f"refused: {said}"
    assert re.search(pattern, said), f"not the cause: {said}"
    assert said.endswith(".") and not re.search(r"\n|[.!?]\s+[A-Z]", said), f"not one: {said}"
    assert len(said) < 400, f"too long: {said}"


def close(got: np.ndarray, due: np.ndarray, row: Row, name: str) -> None:
    """Assert equality relative to the largest value that is due, down to rounding."""
    scale = np.abs(due).max()
    assert got.shape == due.shape, f"{name}: {got.shape} for {due.shape}"
    error = np.abs(got - due).max()
    floor = ROUNDING * max(scale, 1.0) * row.tolerance / 1e-9
    assert error <= row.tolerance * scale + floor, f"{name}: {got} for {due}"


@table(GIVES_NUMBERS)
def test_a_module_that_is_a_function_of_its_weights_is_trained_rightly(row: Row, tmp_path) -> None:
    run = found(row)
    if run.error is not None:
        sentence(run.error, row.refused)
        return
    assert run.result is not None and run.result.status == row.status, run.result
    if row.status == "diverged":
        path = run.result.save(tmp_path / "run.npz")
        assert RunResult.load(path).status == "diverged"
        return
    _, x, y, options = row.made()
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        due = module_oracle.trained(lambda: row.made(row.twin)[0], x, y, **options)
    for name in COMPARED:
        close(run.result.series[name], due[name], row, name)
    change = run.result.sparse["kernel_change"]
    close(change[-1:], due["kernel_change"], row, "kernel_change")


@table(REFUSED)
def test_what_cannot_be_trained_is_refused_in_one_sentence(row: Row) -> None:
    run = found(row)
    assert run.error is not None, f"accepted: {run.result and run.result.verdict}"
    sentence(run.error, row.refused)


@table(ROWS)
def test_a_module_is_left_as_it_was(row: Row) -> None:
    assert found(row).changed == []


class Stop:
    """Raises at the given pass."""

    def __init__(self, error: type[BaseException], at: int):
        self.error, self.left = error, at

    def __call__(self, m: nn.Module, x: torch.Tensor) -> torch.Tensor:
        self.left -= 1
        if self.left == 0:
            raise self.error("stopped by the module")
        return m.o(torch.tanh(m.norm(m.a(m.a(x)))))


@pytest.mark.parametrize("at", [1, 2, 4, 9, 25])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("zero_output", ["centered", "symmetrized"])
def test_a_module_is_left_as_it_was_by_a_call_that_is_cut_short(at, error, zero_output) -> None:
    torch.manual_seed(0)
    m = small(Stop(error, at), m=4, norm=nn.BatchNorm1d(4))
    x, y = torch.randn(6, 4, dtype=F64), torch.randn(6, dtype=F64)
    m.again = m.a
    with_gradients(m)
    before = state(m, x, y)
    try:
        compare(m, x, y, steps=20, step_size=0.05, zero_output=zero_output)
    except (error, LazyLabError):
        pass
    else:
        assert m.computed.left > 0, "the error was swallowed"
    after = state(m, x, y)
    assert changes(before, after) == []


@pytest.mark.parametrize("at", [2, 8])
def test_an_interrupt_is_passed_on(at) -> None:
    torch.manual_seed(0)
    m = small(Stop(KeyboardInterrupt, at), m=4, norm=nn.Identity())
    with pytest.raises(KeyboardInterrupt):
        compare(m, torch.randn(6, 4, dtype=F64), torch.randn(6, dtype=F64), steps=20, step_size=0.1)


def test_rows_have_names_of_their_own() -> None:
    assert len({str(row) for row in ROWS}) == len(ROWS) >= 110


@pytest.mark.parametrize("layers", [1, 2])
def test_the_rows_of_the_oracle_agree_with_finite_differences(layers) -> None:
    def build():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(layers)
            norms = [nn.BatchNorm1d(5) for _ in range(layers)]
            return nn.Sequential(linear(4, 5), *norms, nn.Tanh(), linear(5, 2)).double()

    x = torch.randn(6, 4, dtype=F64)
    by_backward = module_oracle.Copies([(1.0, build())], x).jacobian()
    by_differences = module_oracle.differences(build, x)
    assert (by_backward - by_differences).abs().max() < 1e-8 * by_backward.abs().max()
