"""Losses against their formulas in plain floats, against differences, and at their limits."""

import math

import pytest
import torch

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.errors import ConfigError
from lazycore.losses import chosen

MARGIN_LOSSES = ("soft_hinge", "quadratic_hinge")
FORMULAS = {
    "square": lambda f, y: sum((a - b) ** 2 for a, b in zip(f, y, strict=True)) / 2,
    "weighted_square": lambda f, y: sum(
        4.0 ** (c / (len(f) - 1 or 1)) * (f[c] - y[c]) ** 2 / 2 for c in range(len(f))
    ),
    "logistic": lambda f, y: math.log(1.0 + math.exp(-y[0] * f[0])),
    "cross_entropy": lambda f, y: (
        -math.log(sum(b * math.exp(a) for a, b in zip(f, y, strict=True)) / sum(map(math.exp, f)))
    ),
    "soft_hinge": lambda f, y: math.log(1.0 + math.exp(7.0 * (1.5 - y[0] * f[0]))) / 7.0,
    "quadratic_hinge": lambda f, y: max(0.0, 1.5 - y[0] * f[0]) ** 2 / 2,
}
FIELDS = {"loss_beta": 7.0, "margin": 1.5}
F = torch.linspace(-3.0, 5.0, 1601, dtype=torch.float64)[:, None] + 1e-5


def outputs_and_targets(name, count):
    """Return f (9, k) and y (9, k) of the kind that this loss reads, and k."""
    facts = spec.loss_facts({"loss": name} | FIELDS)
    k = facts["outputs"](count)
    generator = torch.Generator().manual_seed(count)
    f = 2.0 * torch.randn(9, k, generator=generator, dtype=torch.float64)
    if not facts["classifies"]:
        return f, torch.randn(9, k, generator=generator, dtype=torch.float64)
    labels = torch.arange(9) % max(k, 2)
    return f, torch.eye(k).double()[labels] if k > 1 else 2.0 * labels[:, None].double() - 1.0


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("name", sorted(spec.collect("loss")))
def test_a_loss_is_its_formula_and_its_gradient_the_derivative_of_that(name, count):
    loss, (f, y) = chosen(name, FIELDS), outputs_and_targets(name, count)
    wanted = [FORMULAS[name](*pair) for pair in zip(f.tolist(), y.tolist(), strict=True)]
    assert loss.per_point(f, y).tolist() == pytest.approx(wanted, rel=1e-12)
    slopes = torch.func.grad(lambda f: loss.per_point(f, y).sum())(f)
    assert torch.allclose(loss.gradient(f, y), slopes, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("name", sorted(spec.collect("loss")))
def test_the_curvature_is_the_largest_bend_of_the_loss_and_the_convexity_the_least(name, count):
    """Over all f: largest where two classes are as probable, at the corner, or everywhere."""
    loss, facts = chosen(name, FIELDS), spec.loss_facts({"loss": name} | FIELDS)
    _, y = outputs_and_targets(name, count)
    k = y.shape[1]
    places = [torch.zeros(k).double(), torch.full((k,), 1.5).double() * y[0]]
    places.append(torch.tensor([9.0, 9.0, *[-30.0] * (k - 2)][:k]).double())
    places.append(torch.full((k,), 60.0).double() * y[0])

    def bends(f):
        found = torch.func.jacrev(lambda f: loss.gradient(f[None], y[:1])[0])(f)
        return torch.linalg.eigvalsh(found)

    found = torch.stack([bends(f) for f in places])
    one_output = name == "weighted_square" and k == 1
    largest = 1.0 if one_output else facts["curvature"]
    assert float(found.max()) == pytest.approx(largest, rel=1e-6)
    assert float(found.min()) == pytest.approx(facts.get("convexity", 0.0), abs=1e-6)


def test_the_logistic_loss_and_the_cross_entropy_overflow_nowhere():
    far, y = torch.tensor([[-1e6], [1e6]]).double(), torch.ones(2, 1).double()
    assert chosen("logistic", {}).per_point(far, y).tolist() == [1e6, 0.0]
    assert chosen("logistic", {}).gradient(far, y)[:, 0].tolist() == [-1.0, 0.0]
    both = torch.tensor([[1e6, -1e6]]).double()
    right, wrong = torch.tensor([[1.0, 0.0]]).double(), torch.tensor([[0.0, 1.0]]).double()
    assert chosen("cross_entropy", {}).per_point(both, right).tolist() == [0.0]
    assert chosen("cross_entropy", {}).per_point(both, wrong).tolist() == [2e6]


@pytest.mark.parametrize("y", [1.0, -1.0])
@pytest.mark.parametrize("name", MARGIN_LOSSES)
def test_the_gradient_is_the_difference_of_the_loss_and_the_curvature_its_largest(name, y):
    loss, labels, h = chosen(name, {"loss_beta": 7.0, "margin": 1.5}), torch.full_like(F, y), 1e-5
    gradient = loss.gradient(F, labels)
    finite = (loss.per_point(F + h, labels) - loss.per_point(F - h, labels)) / (2 * h)
    assert torch.allclose(gradient[:, 0], finite, atol=1e-5)
    bend = (loss.gradient(F + h, labels) - loss.gradient(F - h, labels)) / (2 * h)
    assert float(bend.max()) == pytest.approx(loss.SPEC.facts["curvature"], rel=1e-3)
    assert float(bend.min()) >= -1e-9, "convex"


def test_the_soft_hinge_is_the_hinge_where_its_corner_is_sharp_and_overflows_nowhere():
    loss = chosen("soft_hinge", {"loss_beta": 1e4, "margin": 2.0})
    f, y = torch.tensor([[-1e6], [1.0], [3.0]], dtype=torch.float64), torch.ones(3, 1)
    assert torch.allclose(loss.per_point(f, y), torch.tensor([1e6 + 2.0, 1.0, 0.0]).double())
    assert torch.allclose(loss.gradient(f, y)[:, 0], torch.tensor([-1.0, -1.0, 0.0]).double())
    corner = loss.per_point(torch.full((1, 1), 2.0).double(), torch.ones(1, 1))
    assert float(corner) == pytest.approx(math.log(2.0) / 1e4)


def test_a_point_that_has_its_margin_costs_nothing_under_the_quadratic_hinge():
    loss = chosen("quadratic_hinge", {})
    f, y = torch.tensor([[-1.0], [1.0], [2.0]]), torch.tensor([[-1.0], [1.0], [-1.0]])
    assert loss.per_point(f, y).tolist() == [0.0, 0.0, 4.5]


@pytest.mark.parametrize("name", MARGIN_LOSSES)
def test_margin_losses_say_so_and_take_signs_only(name):
    given = {"task": "digits", "loss": name, "margin": 0.5}
    values = RunConfig.from_dict(given).resolve().to_dict()
    assert spec.loss_facts(values)["margin"] == 0.5 == chosen(name, values).SPEC.facts["margin"]
    assert RunConfig.from_dict(given).resolve().stop == "none"
    with pytest.raises(ConfigError, match="takes labels ±1"):
        RunConfig.from_dict(given | {"labels": "ten"})


@pytest.mark.parametrize("loss", ["square", "logistic"])
def test_other_losses_have_no_margin_to_stop_at(loss):
    with pytest.raises(ConfigError, match="stop=margins is not read by"):
        RunConfig(task="digits", loss=loss, stop="margins")
    assert "margin" not in spec.loss_facts({"loss": loss})
