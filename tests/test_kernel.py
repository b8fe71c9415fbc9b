"""What is measured on a kernel, against plain numpy."""

import numpy as np
import oracle
import pytest
import torch

from lazycore import spec
from lazycore.config import RunConfig
from lazycore.kernel import alignment, relative_change, tangent_kernel


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
