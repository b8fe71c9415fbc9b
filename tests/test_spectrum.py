"""Eigenvalues of a kernel with outputs side by side, and their widest gap."""

import numpy as np
import pytest
import torch

from lazycore.engine.measures.spectrum import LARGEST, class_gap, spectrum


def of_spectrum(values):
    """Return a kernel with these eigenvalues."""
    n = len(values)
    q, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((n, n)))
    return torch.as_tensor(q @ np.diag(values) @ q.T)


def test_the_spectrum_is_that_of_the_whole_kernel_in_falling_order():
    values = np.array([5.0, 3.0, 2.0, 0.5, 0.1, 0.0])
    assert np.allclose(spectrum(of_spectrum(values), 3), values, atol=1e-12)
    assert (spectrum(of_spectrum(values), 3) >= 0.0).all()


def test_a_large_kernel_is_cut_after_a_whole_number_of_points():
    features = torch.randn(1400, 20, generator=torch.Generator().manual_seed(0)).double()
    kernel = features @ features.T
    found = spectrum(kernel, 7)
    size = 7 * (LARGEST // 7)
    assert len(found) == size == 994
    wanted = np.linalg.svd(features[:size].numpy(), compute_uv=False) ** 2
    assert np.allclose(found[:20], wanted, rtol=1e-10)


def test_the_gap_is_the_largest_ratio_among_the_first_fifty():
    values = np.concatenate([np.linspace(10.0, 8.0, 10), 1.0 / np.arange(1.0, 80.0)])
    after, ratio = class_gap(values)
    assert (after, ratio) == (10, pytest.approx(8.0))
    far = np.ones(80)
    far[60:] = 1e-9
    assert class_gap(far) == (1, 1.0), "what comes after fifty does not count"


@pytest.mark.parametrize(("after", "found"), [(50, (50, 9.0)), (51, (1, 1.0))])
def test_the_last_ratio_that_counts_is_that_after_the_fiftieth_eigenvalue(after, found):
    values = np.ones(80)
    values[after:] = 1.0 / 9.0
    assert class_gap(values) == (found[0], pytest.approx(found[1]))


def test_without_two_positive_eigenvalues_there_is_no_gap():
    after, ratio = class_gap(np.array([1.0, 0.0, 0.0]))
    assert after == 0 and np.isnan(ratio)
