"""The lazy regime on real photographs, as found; slow.

python -m pytest -m slow tests/test_cifar_mini.py
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import lazycore
from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.datasets import folders
from lazycore.papers.feature_lazy.phases import settings
from lazycore.papers.feature_lazy.phases.cube import cube_of
from lazycore.papers.feature_lazy.phases.gap import gap
from lazycore.papers.lazy_training.claims import cnn
from lazycore.papers.lazy_training.figures._convolutional import ALPHAS, trained
from lazycore.running.run import run

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


def of_own(config: SweepConfig) -> SweepConfig:
    """Return the same sweep on the parity of the small file's classes."""
    text = config.to_text() | {"task": "own", "data_file": "parity.npz"}
    return SweepConfig.from_text({name: text[name] for name in text.keys() - {"labels"}})


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.skipif(not CIFAR.exists(), reason="the small CIFAR-10 file is not on this machine")
@pytest.mark.parametrize("network", ["fully connected", "convolutional"])
def test_both_sides_on_photographs_as_found(network, tmp_path, monkeypatch, capsys):
    """The lazy and the feature side of each network: shown, not judged; all runs end."""
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path / "data"))
    own = tmp_path / "data" / "own"
    own.mkdir(parents=True)
    with np.load(CIFAR, allow_pickle=False) as file:
        parity = {name: file[name] % 2 if name.startswith("y") else file[name] for name in file}
    np.savez(own / "parity.npz", **parity)
    photographs = (c for c in settings.comparisons() if c.data == "CIFAR-10")
    one = next(c for c in photographs if c.network.startswith(network))
    table = lazycore.sweep(of_own(one.config), device="cpu", threads=2, budget=None)
    found = gap(cube_of(table), *settings.SIDES.values())
    assert found is not None and set(table.frame["status"]) == {"done"}
    apart = found.difference
    with capsys.disabled():
        sys.stdout.write(
            f"{one.network}: feature {found.feature:.3f}, lazy {found.lazy:.3f}, difference "
            f"{apart.value:.3f} ({apart.low:.3f} to {apart.high:.3f}), N = {found.seeds}\n"
        )
