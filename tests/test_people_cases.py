"""What people's modules once got wrong in `compare`: each with its right value, or its sentence."""

import copy
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from module_row import Made
from module_state import changes, state
from torch import nn
from torch.utils.checkpoint import checkpoint

from lazycore import RunResult, compare
from lazycore.errors import ConfigError

F64 = torch.float64


def drawn(*shape, seed=0, dtype=F64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=F64).to(dtype)


def seeded(build, seed=0) -> Any:
    torch.manual_seed(seed)
    return build().double()


def sentence(*args, **options) -> str:
    with pytest.raises(ConfigError) as info:
        compare(*args, **({"steps": 3} | options))
    said = str(info.value)
    assert said.endswith(".") and "\n" not in said and ". " not in said.replace("e.g. ", "")
    return said


# ── a module is left as it was, and is the function that it is ───────────────────────────


def shared_under_two_names():
    one = nn.Linear(4, 4)
    parts = {"a": nn.Sequential(one, nn.Tanh()), "b": nn.Sequential(one, nn.Tanh())}
    return Made(lambda m, x: m.o(m.b(m.a(x))), **parts, o=nn.Linear(4, 1))


def test_a_layer_under_two_names_is_trained_as_one_and_left_as_it_was():
    m, x, y = seeded(shared_under_two_names), drawn(10, 4), drawn(10, seed=1)
    before = state(m, x, y)
    result = compare(m, x, y, steps=30)
    assert changes(before, state(m, x, y)) == []
    assert result.latest["parameters"] == 20 + 5
    assert all(type(p) is nn.Parameter for p in m.parameters())


def convolutions(recomputed: bool):
    def body(m, h):
        return torch.tanh(m.b(torch.tanh(m.a(h))))

    def forward(m, x):
        h = x[:, None]
        h = checkpoint(body, m, h, use_reentrant=False) if recomputed else body(m, h)
        return m.o(h)[:, 0, 0]

    a, b = nn.Conv1d(1, 16, 3, padding=1), nn.Conv1d(16, 16, 3, padding=1)
    return Made(forward, a=a, b=b, o=nn.Conv1d(16, 1, 8))


def test_blocks_that_backward_computes_anew_train_as_those_that_are_kept():
    torch.manual_seed(0)
    x = torch.randn(20, 8, dtype=F64)
    y, alpha, eta = torch.sin(x.sum(1)), 0.5, 0.02
    anew, kept = (seeded(lambda r=r: convolutions(r), seed=1) for r in (True, False))
    options: dict[str, Any] = {"alpha": alpha, "step_size": eta}
    found = compare(anew, x, y, steps=1000, record=[1000], **options)
    few = [compare(m, x, y, steps=50, **options).series for m in (anew, kept)]
    for key in ("gap.train_output", "nonlinear.train_loss", "linearized.train_loss"):
        assert np.abs(few[0][key] - few[1][key]).max() < 1e-12, key
    h0, descent = kept(x).detach(), torch.optim.SGD(kept.parameters(), eta / alpha**2)
    for _ in range(1000):
        descent.zero_grad()
        (0.5 * (alpha * (kept(x) - h0) - y).square().mean()).backward()
        descent.step()
    due = float(0.5 * (alpha * (kept(x).detach() - h0) - y).square().mean())
    assert abs(found.series["nonlinear.train_loss"][-1] - due) < 1e-12
    assert due == pytest.approx(0.00827, abs=5e-6)


def test_stochastic_depth_is_refused_each_time_and_lazy_in_eval():
    def forward(m, x):
        h = torch.tanh(m.a(x))
        keep = float(torch.rand(()) > 0.1) / 0.9 if m.training else 1.0
        return m.o(h + keep * torch.tanh(m.b(h)))

    layers = {"a": nn.Linear(4, 8), "b": nn.Linear(8, 8), "o": nn.Linear(8, 1)}
    m, x, y = seeded(lambda: Made(forward, **layers), 3), drawn(10, 4), drawn(10, seed=1)
    for seed in range(6):
        torch.manual_seed(seed)
        assert "module.eval()" in sentence(m, x, y, alpha=100.0)
    assert compare(m.eval(), x, y, steps=50, alpha=100.0).verdict == "lazy"


# ── points that belong together ──────────────────────────────────────────────────────────


def graph(n: int, columns: int):
    generator = torch.Generator().manual_seed(n)
    edges = (torch.rand(n, n, generator=generator) < 0.02) / 10

    def forward(m, x):
        assert len(x) == n, "a part of the graph"
        return m.o(m.A @ torch.tanh(m.a(m.A @ x)))

    parts = {"A": torch.eye(n) / 2 + edges, "a": nn.Linear(columns, 8), "o": nn.Linear(8, 2)}
    return Made(forward, **parts)


@pytest.mark.parametrize("columns", [1, 2, 4])
@pytest.mark.parametrize("loss", ["square", "cross_entropy"])
def test_a_graph_network_is_given_all_its_points_always(columns, loss):
    n = 20
    m, x, test = seeded(lambda: graph(n, columns)), drawn(n, columns), drawn(n, columns)
    targets = torch.arange(n) % 2 if loss == "cross_entropy" else drawn(n, 2, seed=1)
    result = compare(m, x, targets, x_test=test, y_test=targets, loss=loss, steps=5)
    assert result.status == "done"


def test_a_graph_with_more_points_than_a_kernel_looks_at_is_whole_too():
    n = 520
    m, x = seeded(lambda: graph(n, 4)), drawn(n, 4)
    result = compare(m, x, torch.arange(n) % 2, loss="cross_entropy", steps=2)
    assert result.status == "done"


# ── parameters and outputs of other kinds ────────────────────────────────────────────────


def test_a_scale_without_dimensions_is_a_parameter_as_any():
    scaled = {"l": nn.Linear(4, 1), "scale": nn.Parameter(torch.tensor(1.0))}
    m = seeded(lambda: Made(lambda m, x: m.l(x) * m.scale.exp(), **scaled))
    x, y = drawn(10, 4), drawn(10, seed=1)
    h0, g = m(x)[:, 0].detach(), torch.linspace(0.5, 1.5, 10, dtype=F64)
    by_scale = torch.autograd.grad(m(x)[:, 0], m.scale, g)[0]
    assert float(by_scale) == pytest.approx(float(g @ h0))
    result = compare(m, x, y, steps=1, step_size=0.1, zero_output="none")
    slope = torch.autograd.grad(0.5 * (m(x)[:, 0] - y).square().mean(), [*m.parameters()])
    moved = 0.1 * torch.cat([part.reshape(-1) for part in slope]).norm()
    assert result.series["nonlinear.displacement"][-1] == pytest.approx(float(moved), rel=1e-12)


def test_the_old_weight_norm_trains_as_the_new_one():
    found = []
    for norm in (nn.utils.weight_norm, nn.utils.parametrizations.weight_norm):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            m = seeded(lambda n=norm: nn.Sequential(n(nn.Linear(4, 8)), nn.Tanh(), nn.Linear(8, 1)))
        before = copy.deepcopy(m.state_dict())
        result = compare(m, drawn(10, 4), drawn(10, seed=1), steps=20, step_size=0.05)
        found.append(result.series["gap.train_output"])
        assert all(torch.equal(value, before[name]) for name, value in m.state_dict().items())
    assert np.allclose(*found, rtol=1e-9)


def test_outputs_that_are_not_finite_are_counted_in_one_sentence():
    m = seeded(lambda: Made(lambda m, x: m.l(x).log(), l=nn.Linear(4, 1)))
    x = drawn(10, 4)
    count = int(torch.isnan(m(x)).sum())
    assert f"not finite at its initial weights, for {count} of 10" in sentence(m, x, drawn(10))


def test_a_run_that_becomes_nan_on_its_way_is_saved_and_loads_again(tmp_path):
    m = Made(lambda m, x: (m.w * x).sqrt(), w=nn.Parameter(torch.ones(1, dtype=F64)))
    x = torch.linspace(1.0, 2.0, 8, dtype=F64)[:, None]
    options: dict[str, Any] = {"steps": 30, "step_size": 0.5, "zero_output": "none"}
    result = compare(m, x, -5.0 * torch.ones(8, dtype=F64), **options)
    assert result.status == "diverged" and result.verdict != "lazy"
    again = RunResult.load(result.save(tmp_path / "nan.npz"))
    assert again.to_dict() == result.to_dict()


def u_and_its_second_derivative(m, x):
    x = x.clone().requires_grad_(True)
    u = m.u(x)
    d = torch.autograd.grad(u.sum(), x, create_graph=True)[0]
    return (torch.autograd.grad(d.sum(), x, create_graph=True)[0] + u)[:, 0]


def by_hand(w, x):
    """Return u'' + u of u = c·tanh(a x + b) + d, with tanh'' = −2 tanh (1 − tanh²)."""
    a, b, c, d = w[:12], w[12:24], w[24:36], w[36]
    t = torch.tanh(x * a + b)
    return ((-2.0 * t * (1.0 - t**2)) * a**2 + t) @ c + d


def test_the_residual_of_a_differential_equation_trains_as_its_closed_form():
    def build():
        net = nn.Sequential(nn.Linear(1, 12), nn.Tanh(), nn.Linear(12, 1))
        return Made(u_and_its_second_derivative, u=net)

    m, x = seeded(build), torch.linspace(-1, 1, 10, dtype=F64)[:, None]
    w0 = torch.cat([p.detach().reshape(-1) for p in m.parameters()])
    J = torch.func.jacrev(lambda w: by_hand(w, x))(w0)
    h0, w, u, eta = by_hand(w0, x), w0.clone(), torch.zeros_like(w0), 0.02
    for _ in range(15):
        w = w - eta * torch.func.vjp(lambda v: by_hand(v, x), w)[1](by_hand(w, x) / 10)[0]
        u = u - eta * J.T @ (h0 + J @ u) / 10
    options: dict[str, Any] = {"steps": 15, "step_size": eta, "zero_output": "none"}
    result = compare(m, x, torch.zeros(10, dtype=F64), **options)
    apart = (by_hand(w, x) - h0 - J @ u).square().mean().sqrt()
    assert result.series["gap.train_output"][-1] == pytest.approx(float(apart), rel=1e-9)
    loss = 0.5 * by_hand(w, x).square().mean()
    assert result.series["nonlinear.train_loss"][-1] == pytest.approx(float(loss), rel=1e-10)


# ── a sentence for each ──────────────────────────────────────────────────────────────────


class Coarse(nn.Linear):
    def forward(self, x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return super().forward(x)


def embedded(**options):
    return nn.Sequential(nn.Embedding(7, 4, **options), nn.Flatten(), nn.Linear(12, 1))


TOKENS = torch.arange(30).view(10, 3) % 7
WITH_A_SENTENCE = {
    "lazy": (lambda: nn.LazyLinear(1), None, "pass it a batch once"),
    "max_norm": (lambda: embedded(max_norm=1.0), TOKENS, "leave max_norm out"),
    "autocast": (lambda: Coarse(4, 1), None, "computes in bfloat16"),
    "sparse": (lambda: nn.Linear(4, 1), drawn(10, 4).to_sparse(), r"x.to_dense()"),
    "meta": (lambda: nn.Linear(4, 1, device="meta"), None, "the meta device, without numbers"),
    "meta x": (lambda: nn.Linear(4, 1), torch.ones(10, 4, device="meta"), "x is on the meta"),
    "complex x": (lambda: nn.Linear(4, 1), drawn(10, 4) + 1j, "x holds complex numbers"),
}


@pytest.mark.parametrize("name", WITH_A_SENTENCE)
@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_what_once_failed_without_a_sentence_has_one(name):
    build, x, wanted = WITH_A_SENTENCE[name]
    x = drawn(10, 4, dtype=torch.float32) if x is None else x
    assert wanted in sentence(build(), x, drawn(10, dtype=torch.float32))


def test_an_embedding_with_sparse_gradients_trains_as_a_dense_one():
    found = [
        compare(seeded(lambda s=s: embedded(sparse=s)), TOKENS, drawn(10), steps=20, step_size=0.1)
        for s in (False, True)
    ]
    one, other = (result.series["gap.train_output"] for result in found)
    assert np.array_equal(one, other) and one[-1] > 0.0


def test_complex_weights_train_as_their_real_and_imaginary_parts():
    torch.manual_seed(0)
    w = torch.randn(4, 1, dtype=torch.cdouble)
    whole = Made(lambda m, x: (x.to(m.w.dtype) @ m.w).abs(), w=nn.Parameter(w.clone()))
    parts = {"a": nn.Parameter(w.real.clone()), "b": nn.Parameter(w.imag.clone())}
    apart = Made(lambda m, x: ((x @ m.a) ** 2 + (x @ m.b) ** 2).sqrt(), **parts)
    options: dict[str, Any] = {"steps": 20, "step_size": 0.1}
    one, other = (compare(m, drawn(10, 4), drawn(10, seed=1), **options) for m in (whole, apart))
    for key in ("gap.train_output", "nonlinear.train_loss", "linearized.displacement"):
        assert np.allclose(one.series[key], other.series[key], rtol=1e-10, atol=1e-14), key
