"""The lazy regime of a convolutional network on real photographs, as found; slow.

python -m pytest -m slow tests/test_cifar_mini.py
"""

import shutil
import sys
from pathlib import Path

import pytest

from lazycore.checks import cnn
from lazycore.config import RunConfig
from lazycore.datasets import folders
from lazycore.reproductions.convolutional import ALPHAS, trained
from lazycore.training import run

CIFAR = Path(__file__).parents[2] / "shared" / "data" / "cifar10_2600_1000.npz"
IMAGES, NEW_IMAGES, STEP = 384, 200, 0.02


def on_photographs(alpha: float) -> RunConfig:
    """Return the run of check 15 on the small CIFAR-10 file, as data of one's own."""
    fields = trained("digits", IMAGES, NEW_IMAGES, alpha, STEP).given()
    del fields["labels"]
    return RunConfig.from_dict(fields | {"task": "own", "data_file": "cifar.npz"})


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not CIFAR.exists(), reason="the small CIFAR-10 file is not on this machine")
def test_a_network_on_photographs_is_lazy_at_large_alpha(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path / "data"))
    (tmp_path / "data" / "own").mkdir(parents=True)
    shutil.copy(CIFAR, tmp_path / "data" / "own" / "cifar.npz")
    found = {alpha: run(on_photographs(alpha), device="cpu", budget=None) for alpha in ALPHAS}
    results = {f"{alpha:g}": result for alpha, result in found.items()}
    name = f"CIFAR-10 mini, {IMAGES} + {NEW_IMAGES}"
    with capsys.disabled():
        for row in cnn.judged(name, False, results):
            sys.stdout.write(f"{row.claim}: {row.measured}\n")
    lazier, laziest = found[1e3], found[1e7]
    assert cnn.stability(found[1.0]) < cnn.stability(lazier) <= cnn.stability(laziest)
    assert cnn.stability(laziest) > 99.99
    ratio = cnn.displacement(lazier) / cnn.displacement(laziest)
    assert ratio == pytest.approx(1e4, rel=0.02)
    image = 100.0 / NEW_IMAGES  # a point is what one image counts
    assert abs(cnn.accuracy(lazier, "test") - cnn.accuracy(laziest, "test")) <= image
