"""Products by either library are those of the other, and numpy is asked where it is to be."""

import subprocess
import sys

import pytest
import torch

from lazycore.machine import blas, processes


@pytest.fixture
def asked(monkeypatch):
    """The products that numpy was asked for; all that are large enough, in this test."""
    found = []
    monkeypatch.setattr(blas, "SMALLEST", 0)
    monkeypatch.setattr(blas, "numpy_serves", lambda tensor: True)
    matmul = blas.np.matmul
    monkeypatch.setattr(blas.np, "matmul", lambda a, b: found.append(a.shape) or matmul(a, b))
    return found


def draw(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(len(shape))
    return torch.randn(*shape, generator=generator, dtype=dtype)


CASES = {
    "matrices": (draw(5, 4), draw(4, 3)),
    "one row": (draw(1, 4), draw(4, 3)),
    "a vector": (draw(3, 4), draw(4)),
    "transposed": (draw(4, 5).T, draw(3, 4).T),
    "lanes on one matrix": (draw(2, 5, 4), draw(4, 3)),
    "lanes on their own": (draw(2, 5, 4), draw(2, 4, 3)),
    "lanes out of a flat vector": (draw(2, 30)[:, 3:23].unflatten(1, (5, 4)), draw(3, 4).T),
    "lanes, transposed": (draw(2, 4, 5).mT, draw(2, 3, 4).mT),
    "two axes of lanes": (draw(2, 3, 5, 4), draw(4, 3)),
    "one matrix on lanes": (draw(5, 4), draw(2, 4, 3)),
    "two axes of lanes, moved": (draw(3, 2, 5, 4).movedim(0, 1), draw(3, 4).mT),
    "nothing": (draw(2, 0, 4), draw(4, 3)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_product_is_that_of_torch(asked, name, dtype):
    a, b = (part.to(dtype) for part in CASES[name])
    found = blas.product(a, b)
    assert asked and found.dtype == dtype and found.shape == (a @ b).shape
    assert torch.allclose(found, a @ b, rtol=1e-5 if dtype == torch.float32 else 1e-13)
    found.zero_()  # what comes back is nobody else's


def test_what_has_diverged_is_multiplied_without_a_warning(asked):
    found = blas.product(1e200 * draw(3, 4).abs(), 1e200 * draw(4, 2).abs())
    assert bool(found.isinf().all()) and asked


def test_what_autograd_follows_stays_with_torch(asked):
    a, b = draw(3, 4).requires_grad_(), draw(4, 2)
    (gradient,) = torch.autograd.grad(blas.product(a, b).sum(), a)
    assert torch.allclose(gradient, b.sum(1).expand(3, 4))
    _, change = torch.func.jvp(lambda w: blas.product(w, b), (draw(3, 4),), (draw(3, 4),))
    assert torch.allclose(change, draw(3, 4) @ b)
    assert asked == []


def test_a_small_product_is_not_handed_over(monkeypatch):
    monkeypatch.setattr(blas, "numpy_serves", lambda tensor: pytest.fail("asked"))
    assert torch.equal(blas.product(draw(3, 4), draw(4, 2)), draw(3, 4) @ draw(4, 2))


def test_numpy_serves_on_the_cpu_in_one_thread_only(monkeypatch):
    threads = torch.get_num_threads()
    x = torch.ones(2, dtype=torch.float64)
    try:
        torch.set_num_threads(1)
        monkeypatch.setattr(blas, "numpy_has_one", lambda: True)
        assert blas.numpy_serves(x) and not blas.numpy_serves(x.half())
        torch.set_num_threads(2)
        assert not blas.numpy_serves(x)
    finally:
        torch.set_num_threads(threads)


# ── what processes of our own are told ───────────────────────────────────────────────────
def test_processes_have_one_thread_a_library_unless_more_are_asked_for():
    for threads in (1, 3):
        found = processes.environment(threads)
        assert {found[pool] for pool in processes.POOLS} == {str(threads)}
        assert found["PYTHONPATH"].split(":")[0] == str(processes.PROJECT)


def test_the_package_and_its_program_begin_without_numpy():
    script = "import sys, lazycore, lazycore.machine.processes; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
