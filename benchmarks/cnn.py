"""What does a step of a linearised convolutional network cost, and how much memory?

    python -m benchmarks.cnn [--check]

Random images, ten classes, square loss at α = 10⁷, float64, one thread.

step        the gradient of the linearised model over that of the network on one batch: by a
            forward- and a reverse-mode product at w0 (any batch, augmented ones too), and by
            the kept inputs and signals of every layer, where these are few enough to keep
memory      one step of both models of VGG-11 on 128 images of 32 × 32 × 3, with momentum, in a
            process of its own: the largest resident set, torch included

`--check` exits with 1 where a product step takes more than three of the network's, or the
step of VGG-11 more than 4 GB. Epochs of VGG-11 were not run on a GPU.
"""

import benchmarks._pools  # noqa: F401  # before numpy comes

# isort: split
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from benchmarks._timing import (
    Bar,
    Said,
    Table,
    arguments,
    conclude,
    machine,
    ratio,
    say,
    seconds,
    take_turns,
)
from lazycore import spec
from lazycore.config import RunConfig
from lazycore.dynamics import trajectory
from lazycore.dynamics._descent import gradient_on, tangent_gradient_on
from lazycore.problem import Points, Problem
from lazycore.tangent.layers import Layered
from lazycore.tangent.products import Products

STEP_BAR, MEMORY_BAR = 3.0, 4.0
ALPHA, K = 1e7, 10


@dataclass(frozen=True)
class Sizes:
    """What is timed: (model, task whose images it takes, batch), and rounds."""

    steps: tuple[tuple[str, str, int], ...] = (
        ("cnn", "digits", 128),
        ("cnn", "fashion_mnist", 128),
        ("cnn", "cifar10", 64),
        ("vgg11", "cifar10", 8),
        ("resnet18", "cifar10", 4),
    )
    rounds: int = 5
    memory: tuple[str, int] = ("vgg11", 128)


TINY = Sizes((("cnn", "digits", 3),), rounds=1, memory=("cnn", 2))


def fields(model: str, task: str, batch: int) -> dict:
    """Return the resolved fields of a run whose data are never read."""
    config = {"model": model, "task": task, "n_train": batch, "n_test": 0, "batch_size": batch}
    config |= {"alpha": ALPHA, "steps": 1, "step_size": 0.01}
    return RunConfig.from_dict(config).resolve().to_dict()


def problem(model: str, task: str, batch: int) -> Problem:
    """Return the network on random images of the task's shape."""
    values = fields(model, task, batch)
    d = spec.find("task", task).SPEC.facts["inputs"](values)
    rng = np.random.default_rng(0)
    network = spec.find("model", model).build(values, d, K)
    w0 = torch.as_tensor(network.initial(rng))
    x = torch.as_tensor(rng.standard_normal((batch, d)))
    y = torch.eye(K, dtype=x.dtype)[torch.as_tensor(rng.integers(0, K, batch))]
    points = Points(network, w0, ALPHA, True, x, y)
    return Problem(points, None, spec.find("loss", "square"), K)


def steps(sizes: Sizes) -> Iterator[Said]:
    """Compare the two gradients on one batch."""
    rows, bars = [], []
    for model, task, batch in sizes.steps:
        own = problem(model, task, batch)
        direction = np.random.default_rng(1).standard_normal(own.w0.shape)
        train, v = own.train, torch.as_tensor(1e-3 * direction)
        _ = train.anchor.outputs
        sides = {"network": partial(gradient_on, own, v, train)}
        kinds = {"products": Products(own.network, own.w0, train.x, batch)}
        kept = own.network.features(own.w0, train.x)
        if isinstance(kept, Layered):
            kinds["kept"] = kept
        for name, features in kinds.items():
            points = Points(own.network, own.w0, ALPHA, True, train.x, train.y)
            points.anchor.__dict__.update(features=features, outputs=train.anchor.outputs)
            sides[name] = partial(tangent_gradient_on, own, v, points)
        found = {name: side() for name, side in sides.items()}
        apart = float((found["network"] - found["products"]).norm() / found["products"].norm())
        times = take_turns({n: partial(seconds, side) for n, side in sides.items()}, sizes.rounds)
        ratios = {name: ratio(times[name], times["network"]) for name in kinds}
        bars.append(ratios["products"])
        kept_ratio = ratios.get("kept", float("nan"))
        milliseconds = 1e3 * float(np.median(times["network"]))
        name = f"{model}, {task}, {batch}"
        rows.append((name, own.w0.numel(), milliseconds, ratios["products"], kept_ratio, apart))
    columns = ("network, images, batch", "p", "its step, ms", "products", "kept", "apart")
    note = "ratios to the network's step; apart: relative difference of the two gradients"
    yield Table("a linearised step", columns, rows, note)
    yield Bar("linearised step by products, steps of the network", max(bars), STEP_BAR, True)


def one_step(model: str, batch: int, task: str = "cifar10") -> dict[str, float]:
    """Return seconds and the largest resident set, in GB, of a step of both models."""
    own, values = problem(model, task, batch), fields(model, task, batch)
    begun = time.perf_counter()
    *_, last = trajectory(own, values, record=np.array([0, 1]))
    spent = time.perf_counter() - begun
    v, v_bar = last.nonlinear, last.linearized
    assert v is not None and v_bar is not None
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return {"seconds": spent, "GB": rss, "apart": float((v - v_bar).norm() / v_bar.norm())}


def memory(sizes: Sizes) -> Iterator[Said]:
    """Measure one step of both models in a process of its own."""
    model, batch = sizes.memory
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.cnn", "--one", model, str(batch)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    row = (f"{model}, cifar10, {batch}", found["seconds"], found["GB"], found["apart"])
    columns = ("network, images, batch", "both steps, s", "GB", "apart")
    yield Table("one step of both models at α = 10⁷", columns, [row])
    yield Bar("largest resident set, GB", found["GB"], MEMORY_BAR, True)


def figure_3a() -> float:
    """Return the operations of Figure 3(a) in full, from counts: both models of VGG-11, eight α,
    70 epochs of 50,000 images, three passes of the network and six of its linearisation."""
    operations = spec.find("model", "vgg11").SPEC.facts["operations"]
    per_image = 2.0 * (3 + 6) * operations(fields("vgg11", "cifar10", 128), 3072, K)
    return 8 * 70 * 50_000 * per_image


def measure(size: str = "full") -> Iterator[Said]:
    """Yield the tables and the bars."""
    sizes = Sizes() if size == "full" else TINY
    torch.set_num_threads(1)
    yield machine(1, 1024 if size == "full" else 32)
    yield from steps(sizes)
    yield from memory(sizes)
    whole = f"Figure 3(a) in full is {figure_3a():.1e} operations"
    yield f"  epochs of VGG-11: not run on a GPU; {whole}."


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--one", nargs=2, metavar=("MODEL", "BATCH"), help="one step, as JSON")
    given = parser.parse_args()
    if given.one:
        torch.set_num_threads(1)
        print(json.dumps(one_step(given.one[0], int(given.one[1]))))
        return 0
    return conclude(say(measure(given.size)), given.check)


if __name__ == "__main__":
    raise SystemExit(main())
