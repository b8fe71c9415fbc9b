"""The runs that one writes in PyTorch without this library, in processes of their own.

A `torch.nn.Module` of two linear layers, its output centred, full batch, autograd, one run
after another; beside it, where asked for, the linearised model by `torch.func.jvp` and `vjp`.
The weights are updated by hand: `torch.optim.SGD` is slower.

`Plain(processes)` starts the processes; each has one thread and answers line by line.
"""

import benchmarks._pools  # noqa: F401  # before numpy comes

# isort: split
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from lazycore.engine.problem.problem import Problem

ROOT = Path(__file__).resolve().parent.parent


class TwoLayer(nn.Module):
    """h(x) = Σ a_j max(b_j · x, 0)."""

    def __init__(self, hidden: Tensor, output: Tensor) -> None:
        super().__init__()
        width, dim = hidden.shape
        self.hidden = nn.Linear(dim, width, bias=False, dtype=hidden.dtype)
        self.output = nn.Linear(width, 1, bias=False, dtype=hidden.dtype)
        with torch.no_grad():
            self.hidden.weight.copy_(hidden)
            self.output.weight.copy_(output)

    def forward(self, x: Tensor) -> Tensor:
        """Return h(x), (n, 1)."""
        return self.output(torch.relu(self.hidden(x)))


class Run:
    """One run as one would write it: what is needed once is formed here, and not timed."""

    def __init__(self, data: dict[str, Tensor], seed: int, alpha: float, eta: float) -> None:
        self.x, self.y = data["x"][seed], data["y"][seed]
        self.x_test, self.y_test = data["x_test"][seed], data["y_test"][seed]
        self.alpha, self.eta = alpha, eta
        self.module = TwoLayer(data["hidden"][seed], data["output"][seed])
        with torch.no_grad():
            self.before = self.module(self.x)
            self.before_test = self.module(self.x_test)

    def network(self, steps: int) -> None:
        """Train the network."""
        parameters = list(self.module.parameters())
        for _ in range(steps):
            outputs = self.alpha * (self.module(self.x) - self.before)
            loss = 0.5 * (outputs - self.y).square().mean() / self.alpha**2
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                for parameter, gradient in zip(parameters, gradients, strict=True):
                    parameter -= self.eta * gradient

    def both(self, steps: int, records: frozenset[int]) -> list[tuple[float, ...]]:
        """Train the network and its linearisation; return the losses of both on both sets."""
        w0 = {name: p.detach().clone() for name, p in self.module.named_parameters()}
        dw = {name: torch.zeros_like(p) for name, p in w0.items()}

        def call(x: Tensor):
            return lambda w: torch.func.functional_call(self.module, w, (x,))

        pull = torch.func.vjp(call(self.x), w0)[1]
        curves = []
        for step in range(1, steps + 1):
            self.network(1)
            with torch.no_grad():
                tangent = self.alpha * torch.func.jvp(call(self.x), (w0,), (dw,))[1]
                residual = (tangent - self.y) / (len(self.x) * self.alpha)
                (gradients,) = pull(residual)
                dw = {name: dw[name] - self.eta * gradients[name] for name in dw}
            if step in records:
                curves.append(self._losses(call, w0, dw))
        return curves

    @torch.no_grad()
    def _losses(self, call, w0: dict, dw: dict) -> tuple[float, ...]:
        found = []
        for x, y, before in (
            (self.x, self.y, self.before),
            (self.x_test, self.y_test, self.before_test),
        ):
            network = self.alpha * (self.module(x) - before)
            tangent = self.alpha * torch.func.jvp(call(x), (w0,), (dw,))[1]
            found += [float(0.5 * (f - y).square().mean()) for f in (network, tangent)]
        return tuple(found)

    @property
    def weights(self) -> np.ndarray:
        """The weights in the order of the library: hidden layer, output layer."""
        parts = (self.module.hidden.weight, self.module.output.weight)
        return np.concatenate([p.detach().numpy().ravel() for p in parts])


class Plain:
    """Processes that are ready, imports done, when this returns; work is dealt out in turn."""

    def __init__(self, processes: int) -> None:
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks._plain"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
            for _ in range(processes)
        ]
        self._answers()

    def prepare(self, path: str, lanes: list[tuple[int, float, float]]) -> None:
        """Form the runs (seed in the file, α, η), which then stand at their start."""
        count = len(self.processes)
        self._send(
            [{"what": "prepare", "path": path, "lanes": lanes[i::count]} for i in range(count)]
        )
        self._answers()

    def warm(self) -> None:
        """Have torch.func ready: its first call imports for seconds."""
        self.go("warm")

    def go(self, what: str, **given) -> float:
        """Return the seconds until all processes have ended this part of the work."""
        begun = time.perf_counter()
        self._send([{"what": what, **given}] * len(self.processes))
        self._answers()
        return time.perf_counter() - begun

    def weights(self, path: str) -> np.ndarray:
        """Return the weights of all runs, (lanes, p), in the order they were given."""
        self._send([{"what": "weights", "path": f"{path}.{i}"} for i in range(len(self.processes))])
        self._answers()
        parts = [np.load(f"{path}.{i}.npy") for i in range(len(self.processes))]
        found = np.empty((sum(map(len, parts)), parts[0].shape[1]), parts[0].dtype)
        for i, part in enumerate(parts):
            found[i :: len(parts)] = part
        return found

    def close(self) -> None:
        """End the processes."""
        for process in self.processes:
            assert process.stdin and process.stdout
            process.stdin.close()
            process.wait()
            process.stdout.close()

    def __enter__(self) -> "Plain":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _send(self, requests: list[dict]) -> None:
        for process, request in zip(self.processes, requests, strict=True):
            assert process.stdin
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()

    def _answers(self) -> None:
        for process in self.processes:
            assert process.stdout
            if not process.stdout.readline():
                raise RuntimeError("a process of plain PyTorch runs has ended: see its message")


def write(path: str, problems: Sequence[Problem]) -> None:
    """Write data and weights, one problem per seed, for the other processes."""
    tests = [problem.test for problem in problems if problem.test]
    hidden, output = problems[0].network.blocks
    w0 = np.stack([problem.w0.numpy() for problem in problems])
    np.savez(
        path,
        allow_pickle=False,
        x=np.stack([problem.train.x.numpy() for problem in problems]),
        y=np.stack([problem.targets.numpy() for problem in problems]),
        x_test=np.stack([test.x.numpy() for test in tests]),
        y_test=np.stack([test.y.numpy() for test in tests if test.y is not None]),
        hidden=w0[:, hidden.slice].reshape(-1, *hidden.shape),
        output=w0[:, output.slice].reshape(-1, *output.shape),
    )


def load(path: str) -> dict[str, Tensor]:
    """Return the tensors of an npz file."""
    with np.load(path, allow_pickle=False) as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


def serve(lines: Iterator[str]) -> Iterator[str]:
    """Yield an answer to each request."""
    torch.set_num_threads(1)
    runs: list[Run] = []
    yield "ready"
    for line in lines:
        request = json.loads(line)
        match request["what"]:
            case "warm":
                small = {name: torch.ones(1, 2, 2) for name in ("x", "x_test", "hidden")}
                small |= {name: torch.ones(1, 2, 1) for name in ("y", "y_test")}
                Run(small | {"output": torch.ones(1, 1, 2)}, 0, 1.0, 0.1).both(2, frozenset([1]))
            case "prepare":
                data = load(request["path"])
                runs = [Run(data, *lane) for lane in request["lanes"]]
            case "network":
                for run in runs:
                    run.network(request["steps"])
            case "both":
                for run in runs:
                    run.both(request["steps"], frozenset(request["records"]))
            case "weights":
                np.save(request["path"], np.stack([run.weights for run in runs]))
        yield "done"


if __name__ == "__main__":
    for answer in serve(iter(sys.stdin.readline, "")):
        print(answer, flush=True)
