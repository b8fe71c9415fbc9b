"""Nonlinearities and their changes against arithmetic with hundreds of digits."""

from decimal import Decimal, localcontext

import pytest
import torch

from lazycore import activations
from lazycore.config import spec

NAMES = ("relu", "tanh", "softplus", "swish", "linear")
VALUES = {"activation_beta": 3.0}
Z = [-6.0, -1.7, -0.4, -1e-3, 0.0, 1e-20, 2e-3, 0.3, 1.1, 2.5, 6.0]
U = [sign * 1.7 * 10.0**k for sign in (1.0, -1.0) for k in (-30, -20, -12, -8, -6, -3, -1, 0, 1)]
U += [0.0, 100.0, -100.0, 0.3, -0.3, 0.35, -0.35, 1.1, -2.5]


def exact(name, z):
    """Return σ(z) of a decimal number, by exponentials and logarithms of decimals."""
    if name == "tanh":
        return 1 - 2 / ((2 * z).exp() + 1)
    if name == "softplus":
        beta = Decimal(VALUES["activation_beta"])
        return (1 + (beta * z).exp()).ln() / beta
    if name == "swish":
        return z / (1 + (-Decimal(VALUES["activation_beta"]) * z).exp())
    return max(z, Decimal(0)) if name == "relu" else z


def exact_change(name, z, u):
    """Return σ(z + u) − σ(z) of two floats, without any rounding that a double could show."""
    with localcontext() as context:
        context.prec = 320
        return exact(name, Decimal(z) + Decimal(u)) - exact(name, Decimal(z))


def grid(dtype):
    """Return all pairs (z, u), as this dtype rounds them."""
    return torch.cartesian_prod(torch.tensor(Z, dtype=dtype), torch.tensor(U, dtype=dtype)).unbind(
        1
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", NAMES)
def test_a_change_keeps_its_digits_however_small_it_is(name, dtype):
    """Away from saturation to a few roundings of itself; where σ is flat, of the largest
    change that u could make; a large u that lands elsewhere, of what is subtracted."""
    z, u = grid(dtype)
    epsilon = torch.finfo(dtype).eps
    changes = spec.find("activation", name).change(z, u, VALUES)
    assert changes.isfinite().all()
    for a, b, found in zip(z.tolist(), u.tolist(), changes.tolist(), strict=True):
        wanted = exact_change(name, a, b)
        error = float(abs(Decimal(found) - wanted))
        reach = abs(b) if abs(b) < 0.3 else max(abs(a), abs(b))
        assert error <= 4.0 * epsilon * reach, (a, b)
        if abs(a) < 1.2 and abs(b) < 1.2:
            # Swish is flat at the bottom of its dip, where two parts of its change cancel.
            size = abs(b) if name == "swish" else float(abs(wanted))
            assert error <= 4.0 * epsilon * size, (a, b)


@pytest.mark.parametrize("name", ["tanh", "softplus"])
def test_the_plain_difference_has_no_digits_left_where_the_change_has_all(name):
    """Why there is a formula of its own: at u = 1e-8 float32 sees no difference at all."""
    file = spec.find("activation", name)
    z = torch.linspace(0.5, 1.0, 11)
    u = torch.full_like(z, 1e-8)
    assert torch.equal(file.sigma(z + u, VALUES), file.sigma(z, VALUES))
    assert torch.allclose(file.change(z, u, VALUES), u * file.slope(z, VALUES), rtol=1e-5, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", NAMES)
def test_both_are_the_value_and_the_slope(name, dtype):
    file, z = spec.find("activation", name), torch.linspace(-40.0, 40.0, 2001, dtype=dtype)
    value, slope = activations.both(file, z.clone(), VALUES)
    assert torch.equal(value, file.sigma(z, VALUES))
    assert torch.equal(slope, file.slope(z, VALUES))
    assert value.dtype == slope.dtype == dtype


@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_of_the_formula(name):
    file, z = spec.find("activation", name), torch.tensor(Z + U, dtype=torch.float64)
    for a, found in zip(z.tolist(), file.sigma(z, VALUES).tolist(), strict=True):
        with localcontext() as context:
            context.prec = 400
            wanted = float(exact(name, Decimal(a)))
        assert found == pytest.approx(wanted, rel=1e-14, abs=1e-300)
