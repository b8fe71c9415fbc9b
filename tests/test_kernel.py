"""What is measured on a kernel, against plain numpy."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import oracle
import pytest
import torch

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.engine.features.kernel import alignment, relative_change, tangent_kernel


def random_kernel(seed: int, size: int = 6) -> torch.Tensor:
    a = np.random.default_rng(seed).standard_normal((size, size))
    return torch.from_numpy(a @ a.T)


def test_relative_change_is_in_the_frobenius_norm():
    a, b = random_kernel(0), random_kernel(1)
    by_hand = np.linalg.norm(a.numpy() - b.numpy()) / np.linalg.norm(b.numpy())
    assert relative_change(a, b) == pytest.approx(by_hand, rel=1e-14)
    assert relative_change(2.0 * b, b) == pytest.approx(1.0) and relative_change(b, b) == 0.0


def test_a_kernel_that_is_zero_and_stays_so_has_not_changed():
    zero = torch.zeros(3, 3)
    assert relative_change(zero, zero) == 0.0
    assert relative_change(torch.eye(3), zero) > 0.0


def test_alignment_is_one_for_the_ideal_kernel_and_zero_for_an_orthogonal_one():
    y = torch.tensor([[1.0], [-2.0], [0.5]], dtype=torch.float64)
    assert alignment(3.0 * y @ y.T, y) == pytest.approx(1.0)
    z = torch.tensor([[2.0], [1.0], [0.0]], dtype=torch.float64)
    assert alignment(z @ z.T, y) == pytest.approx(0.0, abs=1e-15)
    kernel = random_kernel(3, 3)
    k, t = kernel.numpy(), y.numpy()[:, 0]
    by_hand = np.sum(k * np.outer(t, t)) / (np.linalg.norm(k) * (t @ t))
    assert alignment(kernel, y) == pytest.approx(by_hand, rel=1e-14)
    assert alignment(kernel, torch.zeros(3, 1, dtype=torch.float64)) == 0.0


def test_the_kernel_is_symmetric_and_has_no_negative_eigenvalues():
    s = oracle.setting(RunConfig(n_train=7, n_test=0, dim=3, width=6), k=2)
    kernel = tangent_kernel(
        spec.find("model", "two_layer").build(s.values, 3, 2).features(s.w0, s.x)
    )
    assert float((kernel - kernel.T).abs().max()) < 1e-14
    assert float(torch.linalg.eigvalsh(kernel).min()) > -1e-12


def test_the_wide_relu_kernel_tends_to_its_limit():
    """Chizat et al., appendix A: kernels of the two layers at angle φ, unit Gaussians."""
    d, m = 4, 20_000
    angles = np.array([0.0, 0.6, np.pi / 2, 2.4, np.pi])
    x = np.zeros((5, d))
    x[:, 0], x[:, 1] = np.cos(angles), np.sin(angles)
    values = RunConfig(dim=d, width=m, zero_output="none", scaling="ntk").resolve().to_dict()
    network = spec.find("model", "two_layer").build(values, d, 1)
    points = torch.from_numpy(x)
    w0 = torch.from_numpy(network.initial(np.random.default_rng(0)))
    row = tangent_kernel(network.features(w0, points))[0].numpy()
    inner = np.cos(angles) * (np.pi - angles) / (2 * np.pi) / d
    outer = ((np.pi - angles) * np.cos(angles) + np.sin(angles)) / (2 * np.pi) / d
    assert np.abs(row - inner - outer).max() < 0.02


LARGE = """
import json, resource, sys
import numpy as np, torch
from lazycore.config.run import spec
from lazycore.config.run import RunConfig
from lazycore.engine.features.kernel import tangent_kernel
torch.set_num_threads(1)
values = RunConfig(model="fully_connected", dim=100, width=512, depth=2, n_train=8).resolve()
network = spec.find("model", "fully_connected").build(values.to_dict(), 100, 1)
rng = np.random.default_rng(0)
w = torch.from_numpy(network.initial(rng))
x = torch.from_numpy(rng.standard_normal((5000, 100)))
features = network.features(w, x)
kernel = tangent_kernel(features)
other = tangent_kernel(network.features(w, x[:7]), features)
rows = features.select(torch.tensor([0, 4999])).matrix()[:, 0]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({
    "peak": peak * (1 if sys.platform == "darwin" else 1024), "p": w.numel(),
    "errors": [float((kernel[a, b] / (rows[i] @ rows[j]) - 1).abs())
               for i, a in ((0, 0), (1, 4999)) for j, b in ((0, 0), (1, 4999))],
    "other": float((other - kernel[:7]).abs().max() / kernel.abs().max()),
}))
"""


@pytest.mark.slow
def test_the_kernel_of_five_thousand_points_takes_under_three_gigabytes():
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-c", LARGE], cwd=root, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["p"] > 300_000 and found["peak"] < 3e9, found
    assert max(found["errors"]) < 1e-12 and found["other"] < 1e-12
