"""`lazycore.linearize` and `lazycore.tangent_kernel`, against torch.func and explicit Jacobians."""

import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev, jvp

import lazycore
from lazycore import ConfigError, TangentModel, linearize, tangent_kernel


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(len(shape))).double()


@pytest.fixture
def net():
    """A small network, the same in each test; deep enough that Θ[i, j, c, e] ≠ Θ[i, j, e, c]."""
    layers = nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 2)
    module = nn.Sequential(*layers).double()
    for parameter in module.parameters():
        parameter.data = drawn(*parameter.shape)
    return module


def weights(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in module.named_parameters()}


def moved(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: w + 0.3 * drawn(*w.shape).flip(0) for name, w in weights(module).items()}


def expected(module: nn.Module, w: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """Return h(w0, x) + Dh(w0, x)(w − w0) by torch.func."""
    w0 = weights(module)
    change = {name: w[name] - w0[name] for name in w}
    value, along = jvp(lambda at: functional_call(module, at, (x,)), (w0,), (change,))
    return value + along


def test_the_tangent_model_is_the_first_order_taylor_polynomial(net):
    x, w = drawn(5, 3), moved(net)
    tangent = linearize(net)
    torch.testing.assert_close(tangent(x), net(x), rtol=0, atol=0)
    torch.testing.assert_close(functional_call(tangent, w, (x,)), expected(net, w, x))
    tangent.load_state_dict(w, strict=False)
    torch.testing.assert_close(tangent(x), expected(net, w, x))


def test_a_function_is_linearised_as_a_module_is(net):
    x, w = drawn(5, 3), moved(net)
    function = linearize(lambda p, x: functional_call(net, p, (x,)), weights(net))
    torch.testing.assert_close(function(w, x), expected(net, w, x))
    pair = linearize(lambda p, x: p[0] * (x * p[1]).sin(), (torch.ones(1), torch.zeros(1)))
    torch.testing.assert_close(pair((torch.ones(1), torch.ones(1)), torch.tensor(2.0)).item(), 2.0)


def test_its_gradient_at_w0_is_the_modules(net):
    x, tangent = drawn(5, 3), linearize(net)
    own = torch.autograd.grad(tangent(x).square().sum(), [*tangent.parameters()])
    torch.testing.assert_close(own, torch.autograd.grad(net(x).square().sum(), [*net.parameters()]))


def test_an_optimiser_trains_it_as_any_module_and_leaves_the_other_alone(net):
    x, y, before = drawn(5, 3), drawn(5, 2), weights(net)
    tangent = linearize(net)
    assert [*dict(tangent.named_parameters())] == [*before]
    optimizer, losses = torch.optim.SGD(tangent.parameters(), 0.01), []
    for _ in range(20):
        optimizer.zero_grad()
        loss = (tangent(x) - y).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    assert all(torch.equal(w, before[name]) for name, w in weights(net).items())


def test_a_tangent_model_beside_its_own_linearisation_has_no_gap(net):
    found = lazycore.compare(linearize(net), drawn(5, 3), drawn(5, 2), steps=30)
    assert found.series["gap.train_output"].max() <= 2.0 * found.numerical_error


def test_it_moves_to_another_dtype_with_what_it_is_linearised_at(net):
    x, tangent = drawn(5, 3), linearize(net).float()
    assert tangent(x.float()).dtype == torch.float32
    torch.testing.assert_close(tangent(x.float()), net(x).float())
    assert "of Sequential, 62 weights" in repr(tangent)


class _Twice(torch.autograd.Function):
    """A square with a backward of its own that torch cannot pass forwards."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, *grads):
        return 2.0 * ctx.saved_tensors[0] * grads[0]


def test_what_has_no_forward_derivative_is_linearised_by_two_backward_ones():
    class Squared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 2).double()

        def forward(self, x):
            return _Twice.apply(self.layer(x))

    module, x = Squared(), drawn(4, 3)
    tangent, w = linearize(module), moved(module)
    h0 = module.layer(x)
    h = functional_call(module.layer, {k.removeprefix("layer."): v for k, v in w.items()}, (x,))
    tangent.load_state_dict(w, strict=False)
    torch.testing.assert_close(tangent(x), h0 * h0 + 2.0 * h0 * (h - h0))
    tangent(x).sum().backward()
    grad = tangent.get_parameter("layer.weight").grad
    torch.testing.assert_close(grad, (2.0 * h0).T @ x)


def jacobian(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Return J (n, k, p) row by row."""
    rows = jacrev(lambda w: functional_call(module, w, (x,)))(weights(module))
    return torch.cat([part.flatten(2) for part in rows.values()], dim=2)


def test_the_kernel_is_the_gram_matrix_of_the_features(net):
    x, x2 = drawn(5, 3), drawn(4, 3) + 1.0
    first, second = jacobian(net, x), jacobian(net, x2)
    found = tangent_kernel(net, x, x2)
    assert found.shape == (5, 4, 2, 2)
    torch.testing.assert_close(found, torch.einsum("icp,jep->ijce", first, second))
    own = tangent_kernel(net, x)
    torch.testing.assert_close(own, torch.einsum("icp,jep->ijce", first, first))
    assert torch.equal(own, own.permute(1, 0, 3, 2))
    matrix = own.permute(0, 2, 1, 3).reshape(10, -1)
    torch.testing.assert_close(matrix, first.flatten(0, 1) @ first.flatten(0, 1).T)


def test_outputs_without_an_axis_are_one(net):
    flat = nn.Sequential(net, nn.Linear(2, 1).double(), nn.Flatten(0))
    assert tangent_kernel(flat, drawn(5, 3)).shape == (5, 5, 1, 1)


def test_the_kernel_of_the_tangent_model_stays_at_all_weights(net):
    x, tangent = drawn(4, 3), linearize(net)
    tangent.load_state_dict(moved(net), strict=False)
    torch.testing.assert_close(tangent_kernel(tangent, x), tangent_kernel(net, x))


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda: linearize(3), "model is an int"),
        (lambda: linearize(nn.ReLU()), "no parameters"),
        (lambda: linearize(nn.Sequential(nn.Linear(2, 2), nn.Dropout())), "eval"),
        (lambda: linearize(nn.Linear(2, 2), {}), "at its own weights"),
        (lambda: linearize(lambda w: w, None), "params must be"),
        (lambda: linearize(lambda w: w, {"a": 3}), "params must be"),
        (lambda: linearize(lambda w: w, torch.ones(2))(torch.ones(3)), "not built like"),
        (lambda: tangent_kernel(3, torch.ones(2, 2)), "torch.nn.Module"),
        (lambda: tangent_kernel(nn.Linear(2, 1), torch.ones(3, 5)), "cannot take inputs"),
        (lambda: tangent_kernel(nn.Linear(2, 1), torch.ones(3, 2), torch.ones(3, 5)), "x2"),
    ],
)
def test_what_cannot_be_linearised_is_a_sentence(call, part):
    with pytest.raises(ConfigError, match=part):
        call()


def test_a_module_of_half_precision_says_what_it_is_computed_in():
    with pytest.warns(UserWarning, match="float16"):
        model = linearize(nn.Linear(2, 1).half())
    assert isinstance(model, TangentModel) and model(torch.ones(1, 2)).dtype == torch.float32
