"""What does a step of a linearised convolutional network cost, and how much memory?

    python -m benchmarks.cnn [--check] [--device cuda:0]

Random images, ten classes, square loss at α = 10⁷, float64, one thread.

step        the gradient of the linearised model over that of the network on one batch: by a
            forward- and a reverse-mode product at w0 (any batch, augmented ones too), and by
            the kept inputs and signals of every layer, where these are few enough to keep
memory      one step of both models of VGG-11 on 128 images of 32 × 32 × 3, with momentum, in a
            process of its own: the largest resident set, torch included

epochs      with --device: steps of both models of VGG-11 there on batches of 128 such images, and
            what an epoch of 50,000 and the whole of Figure 3(a) come to at that rate

`--check` exits with 1 where a product step takes more than three of the network's, or the
step of VGG-11 more than 4 GB.
"""

import benchmarks._ours  # noqa: F401  # before numpy comes

# isort: split
import json
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
    peak_bytes,
    ratio,
    say,
    seconds,
    take_turns,
)
from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.dynamics import trajectory
from lazycore.engine.features.layers import Layered
from lazycore.engine.features.products import Products
from lazycore.engine.paths.descent import gradient_on, tangent_gradient_on
from lazycore.engine.problem.problem import Points, Problem

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
    epochs: tuple[str, int, int] = ("vgg11", 128, 20)


TINY = Sizes((("cnn", "digits", 3),), rounds=1, memory=("cnn", 2), epochs=("cnn", 2, 2))
IMAGES, EPOCHS, ALPHAS = 50_000, 70, 8
"""Of Figure 3(a)."""


def fields(model: str, task: str, batch: int) -> dict:
    """Return the resolved fields of a run whose data are never read."""
    config = {"model": model, "task": task, "n_train": batch, "n_test": 0, "batch_size": batch}
    config |= {"alpha": ALPHA, "steps": 1, "step_size": 0.01}
    return RunConfig.from_dict(config).resolve().to_dict()


def problem(
    model: str,
    task: str,
    batch: int,
    device: str = "cpu",
    dtype: torch.dtype = torch.float64,
) -> Problem:
    """Return the network on random images of the task's shape."""
    values = fields(model, task, batch)
    d = spec.find("task", task).SPEC.facts["inputs"](values)
    rng = np.random.default_rng(0)
    network = spec.find("model", model).build(values, d, K)
    w0 = torch.as_tensor(network.initial(rng), dtype=dtype, device=device)
    x = torch.as_tensor(rng.standard_normal((batch, d)), dtype=dtype, device=device)
    y = torch.eye(K, dtype=dtype, device=device)[torch.as_tensor(rng.integers(0, K, batch))]
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
    return {
        "seconds": spent,
        "GB": peak_bytes() / 1e9,
        "apart": float((v - v_bar).norm() / v_bar.norm()),
    }


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


def epochs(sizes: Sizes, device: str) -> Iterator[Said]:
    """Time steps of both models on the device; the first ones are not counted."""
    model, batch, count = sizes.epochs
    rows = []
    for dtype in (torch.float64, torch.float32):
        own = problem(model, "cifar10", batch, device, dtype)
        values = fields(model, "cifar10", batch) | {"steps": 3 + count}
        begun = spent = 0.0
        for moment in trajectory(own, values, record=np.array([0, 3, 3 + count])):
            assert moment.nonlinear is not None
            float(moment.nonlinear.norm())  # waits for the device
            begun, spent = time.perf_counter(), time.perf_counter() - begun
        step = spent / count
        epoch = step * IMAGES / batch
        whole = ALPHAS * EPOCHS * epoch / 3600.0
        rate = 2.0 * (3 + 6) * batch * operations_of(model) / step / 1e9
        rows.append((str(dtype).removeprefix("torch."), 1e3 * step, epoch, whole, rate))
    columns = ("dtype", "both steps, ms", "an epoch, s", "Figure 3(a), hours", "GF/s")
    where = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    yield Table(f"{model}, batches of {batch} images of 3 × 32 × 32, on {where}", columns, rows)


def operations_of(model: str) -> float:
    """Return the multiply-adds of the network for one image."""
    return spec.find("model", model).SPEC.facts["operations"](
        fields(model, "cifar10", 128), 3072, K
    )


def figure_3a() -> float:
    """Return the operations of Figure 3(a) in full, from counts: both models of VGG-11, eight α,
    70 epochs of 50,000 images, three passes of the network and six of its linearisation."""
    return ALPHAS * EPOCHS * IMAGES * 2.0 * (3 + 6) * operations_of("vgg11")


def measure(size: str = "full", device: str | None = None) -> Iterator[Said]:
    """Yield the tables and the bars; of the epochs alone where a device is named."""
    sizes = Sizes() if size == "full" else TINY
    torch.set_num_threads(1)
    yield machine(1, 1024 if size == "full" else 32)
    if device is None:
        yield from steps(sizes)
        yield from memory(sizes)
    else:
        yield from epochs(sizes, device)
    yield f"  Figure 3(a) in full is {figure_3a():.1e} operations."


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--one", nargs=2, metavar=("MODEL", "BATCH"), help="one step, as JSON")
    parser.add_argument("--device", help="time epochs there")
    given = parser.parse_args()
    if given.one:
        torch.set_num_threads(1)
        print(json.dumps(one_step(given.one[0], int(given.one[1]))))
        return 0
    return conclude(say(measure(given.size, given.device)), given.check)


if __name__ == "__main__":
    raise SystemExit(main())
