"""Convolutional networks: their counts, weights and outputs against plain torch functions."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lazycore.config import spec
from lazycore.config.cost import DEFAULT, check, estimate
from lazycore.config.run import RunConfig
from lazycore.engine.problem.problem import build_problem
from lazycore.errors import BudgetError, ConfigError
from lazycore.models import _conv

MODELS = ("cnn", "vgg11", "resnet18")
CPU = torch.device("cpu")


def resolved(model: str, task: str = "digits", **more) -> dict:
    fields = {"model": model, "task": task, "n_train": 4, "n_test": 2} | more
    return RunConfig.from_dict(fields).resolve().to_dict()


def network_of(values: dict, k: int = 10):
    """Return the network and its initial weights."""
    d = spec.find("task", values["task"]).SPEC.facts["inputs"](values)
    network = spec.find("model", values["model"]).build(values, d, k)
    return network, torch.as_tensor(network.initial(np.random.default_rng(0)))


def weights(network, w):
    """Return (weight, bias) pairs in order."""
    parts = [w[b.slice].view(b.shape) for b in network.blocks]
    return list(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("task", ["digits", "fashion_mnist"])
def test_the_counts_of_the_spec_are_those_of_the_network(model, task):
    values = resolved(model, task)
    network, w0 = network_of(values)
    facts = spec.find("model", model).SPEC.facts
    assert len(w0) == facts["parameters"](values, 0, 10) == network.blocks[-1].slice.stop
    x = torch.zeros(1, math.prod(_conv.image(values)), dtype=torch.float64)
    outputs, hidden = network.observe(w0, x)
    assert outputs.shape == (1, 10)
    assert sum(z.shape[1] for z in hidden) == facts["units"](values, 0, 10)


def test_vgg_11_has_the_published_number_of_weights_on_cifar_shaped_images():
    values = resolved("vgg11", "cifar10")
    count = spec.find("model", "vgg11").SPEC.facts["parameters"](values, 3072, 10)
    assert count / 1e6 == pytest.approx(9.23, abs=0.005)


def test_the_operations_are_the_multiply_adds_of_the_convolutions():
    values = resolved("cnn")
    by_hand = 64 * 16 * 9 + 16 * 32 * 16 * 9 + 4 * 64 * 32 * 9 + 64 * 10
    assert spec.find("model", "cnn").SPEC.facts["operations"](values, 64, 10) == by_hand


def test_the_small_network_is_what_its_formula_says():
    network, w0 = network_of(resolved("cnn"))
    w = w0 + 0.1 * torch.as_tensor(np.random.default_rng(1).standard_normal(len(w0)))
    x = torch.as_tensor(np.random.default_rng(2).standard_normal((5, 64)))
    a = x.view(5, 1, 8, 8)
    *convolutions, (out, bias) = weights(network, w)
    for weight, b in convolutions:
        a = F.max_pool2d(F.conv2d(a, weight, b, padding=1).relu(), 2)
    assert torch.allclose(network(w, x), a.flatten(1) @ out.T + bias, atol=1e-13)


def test_residual_blocks_add_what_they_were_given():
    network, w0 = network_of(resolved("resnet18", width_multiplier=0.05))
    w = w0 + 0.1 * torch.as_tensor(np.random.default_rng(1).standard_normal(len(w0)))
    x = torch.as_tensor(np.random.default_rng(2).standard_normal((3, 64)))
    queue = weights(network, w)

    def take(a, stride=1, padding=1):
        return F.conv2d(a, *queue.pop(0), stride=stride, padding=padding)

    a = take(x.view(3, 1, 8, 8)).relu()
    for stage in range(4):
        for block in range(2):
            stride = 2 if stage and not block else 1
            inner = take(take(a, stride).relu())
            changed = stride == 2
            a = (inner + (take(a, stride, 0) if changed else a)).relu()
    weight, bias = queue.pop()
    assert not queue
    assert torch.allclose(network(w, x), a.mean((2, 3)) @ weight.T + bias, atol=1e-13)


@pytest.mark.parametrize("task", ["digits", "fashion_mnist"])
def test_no_pool_meets_a_map_of_one_pixel(task):
    values = resolved("vgg11", task)
    _, side, _ = _conv.image(values)
    for layer in spec.find("model", "vgg11")._plan(values, 10):
        if isinstance(layer, _conv.Pool):
            assert side > 1
            side //= 2
        elif isinstance(layer, _conv.Conv):
            assert layer.height == side


def test_the_multiplier_is_on_every_convolution_and_leaves_at_least_one_channel():
    double = network_of(resolved("cnn", width_multiplier=2))[0]
    assert [b.shape[0] for b in double.blocks[::2]] == [32, 64, 128, 10]
    least = network_of(resolved("cnn", width_multiplier=0.01))[0]
    assert [b.shape[0] for b in least.blocks[::2]] == [1, 1, 1, 10]


def test_weights_are_xavier_normal_times_the_initial_scale_and_biases_zero():
    network, w0 = network_of(resolved("cnn", width_multiplier=4, init_scale=3.0))
    for weight, bias in weights(network, w0):
        assert bool((bias == 0.0).all())
        area = weight[0, 0].numel()
        deviation = 3.0 * math.sqrt(2.0 / (area * (weight.shape[0] + weight.shape[1])))
        assert float(weight.std()) == pytest.approx(deviation, rel=5.0 / weight.numel() ** 0.5)


def test_the_initial_weights_come_from_their_own_seed_alone():
    state = torch.get_rng_state()
    one, again, other = (
        build_problem(resolved("cnn", init_seed=seed, alpha=alpha), CPU).w0
        for seed, alpha in ((3, 1.0), (3, 10.0), (4, 1.0))
    )
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert torch.equal(state, torch.get_rng_state())


def test_points_that_are_passed_in_parts_give_the_same_outputs():
    values = resolved("cnn", n_train=7)
    problem = build_problem(values, CPU)
    network, x, w0 = problem.network, problem.train.x, problem.w0
    whole = network(w0, x)
    object.__setattr__(network, "at_once", 3)
    assert torch.allclose(network(w0, x), whole, atol=1e-14)


def test_a_task_without_images_and_paired_copies_are_refused_in_a_sentence():
    with pytest.raises(ConfigError, match=r"takes images, which task=teacher does not have"):
        RunConfig(model="cnn", task="teacher")
    with pytest.raises(ConfigError, match=r"zero_output=symmetrized is not made for model=vgg11"):
        RunConfig(model="vgg11", task="digits", zero_output="symmetrized")


@pytest.mark.parametrize("model", MODELS)
def test_default_runs_of_convolutional_networks_fit_and_larger_ones_cost_more(model):
    config = RunConfig(model=model, task="digits", steps=20)
    cost = check(config, DEFAULT)
    assert 0.0 < cost.seconds < DEFAULT.seconds
    larger = RunConfig.from_dict(
        {"model": model, "task": "digits", "steps": 20, "width_multiplier": 2.0}
    )
    assert estimate(larger).seconds > cost.seconds and estimate(larger).bytes > cost.bytes


def test_a_convolutional_network_over_the_budget_says_what_to_lower():
    with pytest.raises(BudgetError, match=r"lower n_train=2000 or width_multiplier=64"):
        check(
            RunConfig.from_dict(
                {"model": "vgg11", "task": "fashion_mnist", "width_multiplier": 64, "n_train": 2000}
            )
        )
    with pytest.raises(BudgetError, match=r"lower steps=1,000,000,000"):
        check(RunConfig(model="cnn", task="digits", steps=10**9))
