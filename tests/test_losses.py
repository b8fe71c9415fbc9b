"""Losses that read fields, against differences and limits; none has a test of its own else."""

import math

import pytest
import torch

from lazycore import spec
from lazycore.config import RunConfig
from lazycore.errors import ConfigError
from lazycore.losses import chosen

MARGIN_LOSSES = ("soft_hinge", "quadratic_hinge")
F = torch.linspace(-3.0, 5.0, 1601, dtype=torch.float64)[:, None] + 1e-5


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
