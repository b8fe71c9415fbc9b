"""neural-tangents on JAX, driven from the other benchmarks in an environment of its own.

    make peers                        builds `.venv-peers` (benchmarks/requirements-peers.txt)
    python -m benchmarks.peers        says whether it is there

The other benchmarks start this file with that environment's Python, once per cold timing and
once for the steady ones. It then answers requests, one JSON line each, on one core, in
float64, for the network of `Work`: ReLU layers h = W_L σ(… σ(c_1 W_1 x)) without biases.
"""

import json
import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv-peers" / "bin" / "python"
WAYS = [(3, 0), (1, 0), (2, 0)]
"""neural-tangents' implementations (structured derivatives, Jacobian contraction, NTK-vector
products) and their `vmap_axes`; without them all three take a product per row of J."""


class Peer:
    """A process of the other environment; it is ready, imports done, when this returns."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [str(PYTHON), str(Path(__file__).resolve()), "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._read()

    def ask(self, within: float = 600.0, **request) -> dict:
        """Return the answer to one request; `TimeoutError`, and no process any more, if late."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], within)[0]:
            self.close()
            raise TimeoutError(f"no answer within {within:g} s")
        return self._read()

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()

    def _read(self) -> dict:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the peer's process ended: see `python -m benchmarks.peers`")
        return json.loads(line)


def available() -> bool:
    """Whether `make peers` has been run."""
    return PYTHON.exists()


@dataclass(frozen=True)
class Work:
    """What a request names: an npz file with x, x_test, y and weights W0, W1, …, gains c."""

    path: str

    def load(self) -> tuple[dict, list]:
        """Return the arrays and the list of the weight matrices, each with its gain."""
        with np.load(self.path, allow_pickle=False) as file:
            arrays = dict(file)
        layers = [arrays[f"W{number}"] for number in range(len(arrays["gains"]))]
        return arrays, layers


def serve() -> None:
    """Answer requests until the input ends. Runs in the other environment."""
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    import neural_tangents as nt

    out, sys.stdout = sys.stdout, sys.stderr
    functions: dict = {}

    def answer(request: dict) -> dict:
        arrays, layers = Work(request["path"]).load()
        gains = [float(gain) for gain in arrays["gains"]]

        def network(weights, x):
            for number, (weight, gain) in enumerate(zip(weights, gains, strict=True)):
                x = (x @ weight) * gain
                x = jnp.maximum(x, 0.0) if number < len(gains) - 1 else x
            return x

        weights = [jnp.asarray(w.T.copy()) for w in layers]  # (in, out): its rules know that
        x, x_test = jnp.asarray(arrays["x"]), jnp.asarray(arrays["x_test"])
        way, vmap = request["way"]
        if (way, vmap) not in functions:
            kernel = nt.empirical_ntk_fn(
                network, trace_axes=(-1,), vmap_axes=vmap, implementation=way
            )
            functions[way, vmap] = (
                jax.jit(lambda x1, x2, w: kernel(x1, x2, w)),
                jax.jit(lambda x1, w: kernel(x1, None, w)),
                jax.jit(network),
            )
        cross, own, outputs = functions[way, vmap]
        begun = time.perf_counter()
        theta = own(x, weights)
        if request["what"] == "kernel":
            theta.block_until_ready()
            spent = time.perf_counter() - begun
            return {"seconds": spent, "checksum": float(jnp.linalg.norm(theta))}
        theta_test = cross(x_test, x, weights)
        predict = nt.predict.gradient_descent_mse(theta, jnp.asarray(arrays["y"]))
        curves = predict(
            jnp.asarray(arrays["times"]), outputs(weights, x), outputs(weights, x_test), theta_test
        )
        jax.block_until_ready(curves)
        spent = time.perf_counter() - begun
        np.savez(request["path"] + ".curves.npz", train=curves[0], test=curves[1])
        return {"seconds": spent}

    print(json.dumps({"ready": nt.__version__}), file=out, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=out, flush=True)


def main() -> int:
    """Say whether the environment is there."""
    if available():
        peer = Peer()
        peer.close()
        print("neural-tangents answers from .venv-peers")
    else:
        print("no .venv-peers here: `make peers` builds it; comparisons are left out")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        sys.exit(main())
