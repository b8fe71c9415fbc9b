"""How fast is the tangent kernel by structure, and how much memory does it take?

    python -m benchmarks.kernel [--check] [--part jacobian peers convolution memory]

float64, one thread. Every ratio is the median of ratios paired in one run.

jacobian     against the explicit Jacobian by vmap(grad), fully connected, n = 1000
peers        against the fastest of neural-tangents' empirical kernels (`make peers`), cold
             (compilation counted, imports not) and steady, n = 1000 and 5000
convolution  a small network of convolutions: each layer's chosen way against all by Gram
             matrices and all by rows of the Jacobian
memory       the peak of a process that forms the kernel of 5,000 points, p = 313,856

`--check` exits with 1 when a ratio is below its bar.
"""

import benchmarks._ours  # noqa: F401  # before numpy comes

# isort: split
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks import peers
from benchmarks._timing import peak_bytes
from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.engine.features.kernel import tangent_kernel
from lazycore.engine.features.layers import Layered
from lazycore.engine.networks.module_network import ModuleNetwork

BARS = {
    "vmap(grad), p = 51,712": 40.0,
    "vmap(grad), p = 313,856": 150.0,
    "neural-tangents cold": 3.0,
    "neural-tangents steady": 1.1,
    "better of two ways, small CNN": 1 / 1.1,
    "3 GB of memory": 1.0,
}
SIZES = {51_712: (100, 512, 1), 313_856: (100, 512, 512, 1)}
PARTS = ("jacobian", "peers", "convolution", "memory")


def seconds(function: Callable[..., object], *arguments: object) -> float:
    """Return the time of one call."""
    begun = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - begun


def setting(p: int, n: int, seed: int = 0):
    """Return a fully connected ReLU network with p weights, its weights, and n points."""
    hidden = len(SIZES[p]) - 2
    config = RunConfig(
        model="fully_connected", dim=100, width=512, depth=hidden, n_train=8, zero_output="centered"
    )
    network = spec.find("model", "fully_connected").build(config.resolve().to_dict(), 100, 1)
    rng = np.random.default_rng(seed)
    w = torch.from_numpy(network.initial(rng))
    assert w.numel() == p
    return network, w, torch.from_numpy(rng.standard_normal((n, 100)))


def structured(network, w: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return Θ, features included."""
    return tangent_kernel(network.features(w, x))


def by_jacobian(network, w: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return Θ the way one would write it: rows of J by vmap(grad), and their products."""
    row = torch.func.grad(lambda u, point: network(u, point[None])[0, 0])
    j = torch.func.vmap(row, in_dims=(None, 0), chunk_size=100)(w, x)
    return j @ j.T


def against_jacobian(results: dict[str, list[float]]) -> None:
    """Add the ratios to vmap(grad)."""
    for p, repeats in ((51_712, 3), (313_856, 2)):
        network, w, x = setting(p, 1000)
        found, wanted = structured(network, w, x), by_jacobian(network, w, x)
        error = float((found - wanted).norm() / wanted.norm())
        ratios = []
        for _ in range(repeats):
            slow = seconds(by_jacobian, network, w, x)
            own = statistics.median(seconds(structured, network, w, x) for _ in range(5))
            ratios.append(slow / own)
            print(f"  p = {p:,}: vmap(grad) {slow:.2f} s, by structure {own:.4f} s")
        print(f"  p = {p:,}: relative difference of the kernels {error:.1e}")
        results[f"vmap(grad), p = {p:,}"] = ratios


def saved(folder: str, p: int, n: int, seed: int = 0) -> str:
    """Write the same network and points for the other process; return where."""
    network, w, x = setting(p, n, seed)
    sizes = SIZES[p]
    arrays = {"x": x.numpy(), "x_test": x.numpy()[:1], "gains": np.array(network.gains)}
    for number, block in enumerate(network.blocks):
        arrays[f"W{number}"] = w[block.slice].view(block.shape).numpy()
        assert block.shape == (sizes[number + 1], sizes[number])
    # ReLU without a unit gain: what the other process computes.
    assert network.activation_scale == 1.0 and network.bias_gain is None
    path = f"{folder}/{p}-{n}-{seed}.npz"
    np.savez(path, allow_pickle=False, **arrays)
    return path


def cold(p: int, n: int) -> float:
    """Return the time of the first kernel of a fresh process, imports not counted."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.kernel", "--cold", str(p), str(n)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)["seconds"]


def peer_cold(path: str, way: tuple) -> float:
    """Return the same of neural-tangents, compilation counted."""
    peer = peers.Peer()
    try:
        return peer.ask(what="kernel", path=path, way=way)["seconds"]
    finally:
        peer.close()


def fastest_way(path: str) -> tuple:
    """Return the implementation with the fastest second call, after printing all."""
    times = {}
    for way in peers.WAYS:
        peer = peers.Peer()
        allowed = 20.0 + 20.0 * min(times.values(), default=5.0)
        try:
            first, *again = (
                peer.ask(within=allowed, what="kernel", path=path, way=way)["seconds"]
                for _ in range(3)
            )
        except TimeoutError as late:
            print(f"    implementation {way[0]}, vmap {way[1]}: {late}")
            continue
        peer.close()
        times[way] = min(again)
        print(
            f"    implementation {way[0]}, vmap {way[1]}: {first:.2f} s, again {min(again):.3f} s"
        )
    return min(times, key=lambda way: times[way])


def against_peers(results: dict[str, list[float]]) -> None:
    """Add the ratios to neural-tangents, cold and steady."""
    if not peers.available():
        print("  no .venv-peers: `make peers` builds it; this part is left out")
        return
    colds, steadies = results["neural-tangents cold"], results["neural-tangents steady"]
    with tempfile.TemporaryDirectory() as folder:
        for p in SIZES:
            way = fastest_way(saved(folder, p, 1000))
            peer = peers.Peer()
            for n, repeats in ((1000, 7), (5000, 3)):
                path = saved(folder, p, n)
                network, w, x = setting(p, n)
                answer = peer.ask(what="kernel", path=path, way=way)
                checksum = float(structured(network, w, x).norm())
                assert abs(answer["checksum"] / checksum - 1.0) < 1e-9, "another kernel"
                pairs = [
                    (peer.ask(what="kernel", path=path, way=way)["seconds"],
                     seconds(structured, network, w, x))
                    for _ in range(repeats)
                ]  # fmt: skip
                firsts = [(peer_cold(path, way), cold(p, n)) for _ in range(3)]
                for name, timed, into in (("steady", pairs, steadies), ("cold", firsts, colds)):
                    theirs, own = (statistics.median(side) for side in zip(*timed, strict=True))
                    ratio = statistics.median(a / b for a, b in timed)
                    into.append(ratio)
                    print(
                        f"  p = {p:,}, n = {n}, {name}: neural-tangents {theirs:.3f} s, "
                        f"here {own:.4f} s, {ratio:.2f}×"
                    )
            peer.close()


def convolutional() -> ModuleNetwork:
    """Return a small network of convolutions, p = 11,069."""
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(128, 46), nn.ReLU(), nn.Linear(46, 1),
    )  # fmt: skip
    return ModuleNetwork(layers.double())


def both_ways(results: dict[str, list[float]]) -> None:
    """Add the ratio of the better of two ways to the chosen one."""
    network = convolutional()
    w = network.weights()
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((1000, 3, 8, 8)))
    features = network.features(w, x)
    assert isinstance(features, Layered)

    def form(way: str) -> Callable[[], None]:
        def run() -> None:
            total = x.new_zeros((1000, 1000))
            for part in features.parts:
                getattr(part, way)(total, None)

        return run

    names = ("add_kernel", "contract_grams", "multiply_rows")
    times = [[seconds(form(way)) for way in names] for _ in range(5)]
    medians = [statistics.median(side) for side in zip(*times, strict=True)]
    results["better of two ways, small CNN"] = [min(g, r) / c for c, g, r in times]
    whole = seconds(structured, network, w, x)
    print(f"  p = {w.numel():,}: chosen {medians[0]:.3f} s, Gram matrices {medians[1]:.3f} s, ")
    print(f"  rows of the Jacobian {medians[2]:.3f} s; with features found by hooks {whole:.3f} s")
    one = [[seconds(form_one, part, way, x) for way in names[1:]] for part in features.parts]
    for name, part, pair in zip(features.names or (), features.parts, one, strict=True):
        gram, rows = part.costs()  # pyright: ignore[reportAttributeAccessIssue]
        print(
            f"    layer {name}: Gram {pair[0]:.3f} s, rows {pair[1]:.3f} s; "
            f"predicted {gram * 2e-5:.3f}, {rows * 2e-5:.3f}"
        )


def form_one(part, way: str, x: torch.Tensor) -> None:
    """Form one layer's kernel in one way."""
    getattr(part, way)(x.new_zeros((1000, 1000)), None)


def memory(results: dict[str, list[float]]) -> None:
    """Add how often the peak of forming Θ of 5,000 points fits into 3 GB."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.kernel", "--cold", "313856", "5000"],
        capture_output=True,
        text=True,
        check=True,
    )
    peak = json.loads(done.stdout)["peak"]
    print(f"  peak of the process {peak / 1e9:.2f} GB, its result {5000 * 5000 * 8 / 1e9:.2f} GB")
    results["3 GB of memory"] = [3e9 / peak]


def product_rate() -> float:
    """Return numpy's rate of float64 products, GF/s: what the machine gives now."""
    a = np.random.default_rng(0).standard_normal((1000, 1000))
    b = a.copy()
    return 2e-9 * 1000**3 / statistics.median(seconds(np.matmul, a, b) for _ in range(7))


def main() -> int:
    """Print the tables; return 1 when a ratio is below its bar and `--check` was given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--cold", nargs=2, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.cold:
        network, w, x = setting(*options.cold)
        spent = seconds(structured, network, w, x)
        peak = peak_bytes()
        print(json.dumps({"seconds": spent, "peak": peak}))
        return 0
    print(f"float64, one thread, products {product_rate():.0f} GF/s, load {os.getloadavg()[0]:.1f}")
    results: dict[str, list[float]] = {name: [] for name in BARS}
    parts = (against_jacobian, against_peers, both_ways, memory)
    for name, part in zip(PARTS, parts, strict=True):
        if name in options.part:
            print(name)
            part(results)
    missed = 0
    for name, ratios in results.items():
        if not ratios:
            continue
        # Settings of one bar must each reach it; repetitions of one setting are a median.
        several = name.startswith("neural-tangents")
        ratio = min(ratios) if several else statistics.median(ratios)
        missed += ratio < BARS[name]
        verdict = "MISSED" if ratio < BARS[name] else "ok"
        print(f"{name:34} {ratio:8.2f}×  bar {BARS[name]:6.2f}×  {verdict}")
    return int(options.check and missed > 0)


if __name__ == "__main__":
    assert Path("benchmarks/kernel.py").exists(), "run from the top of the repository"
    sys.exit(main())
