"""Margins, agreement, kept outputs and starting speeds, against plain tensors and autograd."""

import numpy as np
import oracle
import pytest
import torch

from lazycore import run
from lazycore.config.run import RunConfig
from lazycore.engine.measures.labels import share_of_errors, sign_agreement, smallest_margin
from lazycore.results.quantities import measure

TINY = {"n_train": 6, "n_test": 5, "width": 6, "dynamics": "gd", "steps": 40, "alpha": 0.5}
RUNS = {
    "logistic": {"task": "circles", "loss": "logistic", "activation": "tanh"},
    "deep": {
        "task": "circles",
        "loss": "square",
        "model": "fully_connected",
        "depth": 3,
        "zero_output": "symmetrized",
        "noise": 0.3,
    },
    "not_zeroed": {"task": "digits", "loss": "logistic", "zero_output": "none", "alpha": 3.0},
}


def test_an_output_of_zero_is_an_error_and_so_is_a_tie():
    f = torch.tensor([[[0.0], [2.0], [-1.0], [3.0]], [[1.0], [1.0], [1.0], [-1.0]]])
    y = torch.tensor([[1.0], [1.0], [1.0], [-1.0]])
    assert share_of_errors(f, y).tolist() == [0.75, 0.0]
    assert smallest_margin(f, y).tolist() == [-3.0, 1.0]
    assert sign_agreement(f, f.flip(0)).tolist() == [0.25, 0.25]
    assert sign_agreement(0.0 * f, 0.0 * f).tolist() == [1.0, 1.0]
    ten = torch.tensor([[2.0, 2.0, 1.0], [2.0, 1.0, 0.0], [0.0, 0.5, 1.0], [1.0, 1.0, 2.0]])
    classes = torch.eye(3)[[0, 0, 0, 2]]
    assert float(share_of_errors(ten, classes)) == 0.5


@pytest.fixture(scope="module", params=RUNS)
def found(request):
    """A run beside the oracle's outputs on both sets, (T, n, 1), of both models."""
    config = RunConfig(**(TINY | RUNS[request.param]))
    result, s = run(config), oracle.setting(config)
    eta = result.latest["step_size"]
    steps = np.rint(result.time / eta).astype(int)
    outputs, weights = {}, {}
    for name, h in (("nonlinear", s.h), ("linearized", s.h_bar)):
        walk = oracle.descend(s.objective(h), s.w0, eta)
        path = [w for _, w in zip(range(steps[-1] + 1), walk, strict=False)]
        weights[name] = [path[k] for k in steps]
        for part, x in (("train", s.x), ("test", s.x_test)):
            values = [(s.alpha * h(w, x)).numpy() for w in weights[name]]
            outputs[f"{name}.{part}"] = np.stack(values)
    return result, s, outputs, weights["nonlinear"]


def test_margins_are_the_smallest_products_of_label_and_output(found):
    result, s, outputs, _ = found
    y = s.y.numpy()
    for model in ("nonlinear", "linearized"):
        wanted = [
            min(a.item() * b.item() for a, b in zip(y, f, strict=True))
            for f in outputs[f"{model}.train"]
        ]
        assert np.allclose(result.series[f"{model}.margin"], wanted, rtol=1e-9, atol=1e-12)


def test_agreement_counts_test_points_on_one_side(found):
    result, _, outputs, _ = found
    pairs = zip(outputs["nonlinear.test"][1:], outputs["linearized.test"][1:], strict=True)
    wanted = [
        float(np.mean([a.item() * b.item() > 0 for a, b in zip(f, g, strict=True)]))
        for f, g in pairs
    ]
    assert np.array_equal(result.series["sign_agreement"][1:], wanted)
    assert measure(result)["sign_agreement"] == wanted[-1]


def test_the_last_test_outputs_are_kept_in_single_precision(found):
    result, s, outputs, _ = found
    for model in ("nonlinear", "linearized"):
        kept, wanted = result.latest[f"{model}.test_outputs"], outputs[f"{model}.test"][-1]
        assert kept.dtype == np.float32 and kept.shape == (5, 1)
        assert np.allclose(kept, wanted, rtol=1e-6, atol=1e-7)
        wrong = np.mean(kept * s.y_test.numpy() <= 0.0)
        assert wrong == result.series[f"{model}.test_error"][-1]
    again = type(result).from_bytes(result.to_bytes())
    assert np.array_equal(again.latest["nonlinear.test_outputs"], kept_of(result))


def kept_of(result):
    return result.latest["nonlinear.test_outputs"]


def test_the_kernel_change_on_test_points_is_that_of_explicit_jacobians(found):
    result, s, _, weights = found

    def kernel(w):
        j = s.jacobian(s.x_test, w).flatten(0, 1)
        return j @ j.T

    first, places = kernel(s.w0), np.searchsorted(result.time, result.kernel_time)
    for value, place in zip(result.sparse["kernel_change_test"], places, strict=True):
        change = float((kernel(weights[place]) - first).norm() / first.norm())
        assert value == pytest.approx(change, rel=1e-9, abs=1e-10)


def test_the_speed_of_preactivations_is_that_of_a_forward_mode_product(found):
    result, s, _, _ = found
    velocity = -torch.func.grad(s.objective(s.h))(s.w0)
    _, speeds = torch.func.jvp(lambda w: tuple(s.hidden(w, s.x)), (s.w0,), (velocity,))
    wanted = [float(z.square().mean().sqrt()) for z in speeds]
    assert np.allclose(result.latest["preactivation_speed"], wanted, rtol=1e-9)
    assert len(wanted) == (s.values["depth"] or 1)


def test_real_targets_and_ten_classes_have_no_margins():
    for fields in ({"task": "sine"}, {"task": "digits", "labels": "ten", "loss": "cross_entropy"}):
        result = run(RunConfig(**(TINY | fields)))
        assert not {"nonlinear.margin", "linearized.margin", "sign_agreement"} & set(result.series)
        k = 10 if "labels" in fields else 1
        assert result.latest["linearized.test_outputs"].shape == (5, k)


def test_without_test_points_there_are_no_test_outputs():
    result = run(RunConfig(**(TINY | {"task": "sine", "n_test": 0})))
    assert not {"nonlinear.test_outputs", "linearized.test_outputs"} & set(result.latest)
    assert "kernel_change_test" not in result.sparse
