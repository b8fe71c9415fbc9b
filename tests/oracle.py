"""The mathematics of DESIGN §3–4 once more, slow and obvious: what the engine is tested against.

Nothing here knows the engine's numerics. Networks are loops over layers, derivatives are
`torch.func`, both models move in the plain parameters w, the linearised one by jvp and vjp of
the network, and gradient flow is SciPy's DOP853. Shared with the engine are only the data
(`lazycore.engine.problem.targets.dataset`) and the order in which weights are drawn: layer by
layer, (out, in) or (out, in + 1) with the bias last, from `default_rng(init_seed)`.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy.integrate import quad, solve_ivp
from torch import Tensor
from torch.nn import functional as F

from lazycore.config.run import RunConfig
from lazycore.engine.problem.targets import dataset

torch.set_num_threads(1)  # two cores are shared by everything that runs beside these tests

Function = Callable[[Tensor, Tensor], Tensor]
"""A model: (w, x) → outputs (n, k)."""

ACTIVATIONS = {
    "relu": lambda z, beta: F.relu(z),
    "tanh": lambda z, beta: torch.tanh(z),
    "linear": lambda z, beta: z,
    "swish": lambda z, beta: F.silu(beta * z) / beta,
    "softplus": lambda z, beta: F.softplus(beta * z, threshold=700.0) / beta,
}


def gain(name: str, beta: float | None) -> float:
    """Return s with E (s σ(z))² = 1 for z ~ N(0, 1), by adaptive quadrature on both half-lines."""

    def integrand(z: float) -> float:
        sigma = float(ACTIVATIONS[name](torch.tensor(z, dtype=torch.float64), beta))
        return sigma**2 * math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)

    moment = quad(integrand, -12.0, 0.0, epsabs=1e-12)[0] + quad(integrand, 0.0, 12.0)[0]
    return moment**-0.5


@dataclass(frozen=True)
class Setting:
    """One run as the contract words it: the network, the data, the objective, w0."""

    values: Mapping
    d: int
    k: int
    w0: Tensor
    x: Tensor
    y: Tensor
    x_test: Tensor
    y_test: Tensor

    @property
    def alpha(self) -> float:
        return self.values["alpha"]

    def network(self, w: Tensor, x: Tensor) -> Tensor:
        """h̃(w, x): the network before `centered` subtracts its initial outputs."""
        if self.values["zero_output"] != "symmetrized":
            return self.copy(w, x)
        half = len(w) // 2
        return self.copy(w[:half], x) - self.copy(w[half:], x)

    def copy(self, w: Tensor, x: Tensor) -> Tensor:
        """One fully connected network, layer by layer."""
        v, a, rest = self.values, x, w
        shapes = layer_shapes(v, self.d, self.k)
        for number, (o, i) in enumerate(shapes):
            biased = v["bias"] != "none"
            matrix, rest = rest[: o * (i + biased)].reshape(o, i + biased), rest[o * (i + biased) :]
            z = layer_factor(v, number, len(shapes), self.d) * (a @ matrix[:, :i].T)
            if biased:
                z = z + v["bias_gain"] * matrix[:, i]
            last = number == len(shapes) - 1
            a = z if last else activation(v, z)
        return a

    def hidden(self, w: Tensor, x: Tensor) -> list[Tensor]:
        """The pre-activations of every hidden layer, one copy beside the other."""
        copies = [w]
        if self.values["zero_output"] == "symmetrized":
            copies = [w[: len(w) // 2], w[len(w) // 2 :]]
        return [torch.cat(zs, 1) for zs in zip(*(self._hidden(c, x) for c in copies), strict=True)]

    def _hidden(self, w: Tensor, x: Tensor) -> list[Tensor]:
        v, a, rest, found = self.values, x, w, []
        shapes = layer_shapes(v, self.d, self.k)
        biased = v["bias"] != "none"
        for number, (o, i) in enumerate(shapes[:-1]):
            matrix, rest = rest[: o * (i + biased)].reshape(o, i + biased), rest[o * (i + biased) :]
            z = layer_factor(v, number, len(shapes), self.d) * (a @ matrix[:, :i].T)
            z = z + v["bias_gain"] * matrix[:, i] if biased else z
            found.append(z)
            a = activation(v, z)
        return found

    def h(self, w: Tensor, x: Tensor) -> Tensor:
        """h(w, x), with the chosen way of making h(w0) zero."""
        out = self.network(w, x)
        return out - self.network(self.w0, x) if self.values["zero_output"] == "centered" else out

    def h_bar(self, w: Tensor, x: Tensor) -> Tensor:
        """h̄(w, x) = h(w0, x) + Dh(w0, x)(w − w0), by one jvp."""
        value, slope = torch.func.jvp(lambda u: self.h(u, x), (self.w0,), (w - self.w0,))
        return value + slope

    def jacobian(self, x: Tensor, w: Tensor | None = None) -> Tensor:
        """Dh(w, x), an (n, k, p) tensor, w0 where no w is given."""
        return torch.func.jacrev(lambda u: self.h(u, x))(self.w0 if w is None else w)

    def risk(self, f: Tensor, y: Tensor | None = None) -> Tensor:
        """R(f) = (1/n) Σ ℓ(f_i, y_i)."""
        return risk(self.values["loss"], f, self.y if y is None else y)

    def objective(self, model: Function) -> Callable[..., Tensor]:
        """F_α(w) = R(α h(w)) / α², of all training points or of those in a batch."""

        def of(w: Tensor, batch=slice(None)) -> Tensor:
            f = self.alpha * model(w, self.x[batch])
            return risk(self.values["loss"], f, self.y[batch]) / self.alpha**2

        return of


def setting(config: RunConfig, k: int | None = None) -> Setting:
    """Return the run of this config in plain tensors; `k` other than the task's for kernels."""
    values = config.resolve().to_dict()
    data = dataset(values)
    d, k = data.x_train.shape[1], k or data.y_train.shape[1]
    tensors = (torch.tensor(a, dtype=torch.float64) for a in _arrays(data))
    return Setting(values, d, k, initial(values, d, k), *tensors)


def _arrays(data) -> tuple:
    return data.x_train, data.y_train, data.x_test, data.y_test


def layer_shapes(v: Mapping, d: int, k: int) -> list[tuple[int, int]]:
    """(out, in) of each layer of one copy."""
    copies = 2 if v["zero_output"] == "symmetrized" else 1
    hidden = v["depth"] if v["model"] == "fully_connected" else 1
    sizes = [d] + [v["width"] // copies] * hidden + [k]
    return [(sizes[i + 1], sizes[i]) for i in range(hidden + 1)]


def layer_factor(v: Mapping, number: int, layers: int, d: int) -> float:
    """c_l: 1; 1/√fan-in, the full width behind a hidden layer; 1/m at a mean-field output."""
    if v["scaling"] == "plain":
        return 1.0
    if number == 0:
        return 1.0 / math.sqrt(d)
    if v["scaling"] == "mean_field" and number == layers - 1:
        return 1.0 / v["width"]
    return 1.0 / math.sqrt(v["width"])


def activation(v: Mapping, z: Tensor) -> Tensor:
    """s σ(z)."""
    beta = v.get("activation_beta")
    factor = gain(v["activation"], beta) if v["activation_gain"] == "unit" else 1.0
    return factor * ACTIVATIONS[v["activation"]](z, beta)


def initial(v: Mapping, d: int, k: int) -> Tensor:
    """w0 = τ · N(0, 1), layer by layer; both copies of a symmetrised network alike."""
    rng = np.random.default_rng(v["init_seed"])
    parts = []
    for o, i in layer_shapes(v, d, k):
        w = rng.standard_normal((o, i + (v["bias"] != "none")))
        if v["bias"] == "zero":
            w[:, -1] = 0.0
        parts.append(v["init_scale"] * w.ravel())
    copies = 2 if v["zero_output"] == "symmetrized" else 1
    return torch.tensor(np.concatenate(parts * copies), dtype=torch.float64)


def risk(loss: str, f: Tensor, y: Tensor) -> Tensor:
    """R(f) by torch's own losses, summed over outputs and averaged over points."""
    if loss == "square":
        return 0.5 * F.mse_loss(f, y, reduction="sum") / len(f)
    if loss == "logistic":
        return F.soft_margin_loss(f, y, reduction="sum") / len(f)
    if loss == "soft_hinge":
        return F.softplus(1.0 - y * f, beta=20.0, threshold=700.0).sum() / len(f)
    if loss == "quadratic_hinge":
        return 0.5 * F.relu(1.0 - y * f).square().sum() / len(f)
    return F.cross_entropy(f, y.argmax(1), reduction="mean")


def error(f: Tensor, y: Tensor) -> float:
    """Share of points with y·f ≤ 0, or whose largest output is not that of the right class."""
    if y.shape[1] == 1:
        return float(np.mean([float(a) * float(b) <= 0.0 for a, b in zip(f, y, strict=True)]))
    return float(np.mean([int(a.argmax()) != int(b.argmax()) for a, b in zip(f, y, strict=True)]))


def descend(
    objective: Callable[..., Tensor],
    w0: Tensor,
    eta: float,
    momentum: float = 0.0,
    batches: Iterator | None = None,
) -> Iterator[Tensor]:
    """Yield w_0, w_1, … of v ← μv + g, w ← w − ηv, g by autograd."""
    w, v = w0.clone(), torch.zeros_like(w0)
    while True:
        yield w
        batch = next(batches) if batches is not None else slice(None)
        v = momentum * v + torch.func.grad(lambda u, b=batch: objective(u, b))(w)
        w = w - eta * v


def flow(objective: Callable[..., Tensor], w0: Tensor, times) -> Tensor:
    """Return w at these times under w' = −∇F(w): DOP853 at rtol 1e-11."""

    def field(_, w):
        return -torch.func.grad(objective)(torch.from_numpy(w)).numpy()

    span = (0.0, float(times[-1]))
    solved = solve_ivp(
        field, span, w0.numpy(), method="DOP853", t_eval=times, rtol=1e-11, atol=1e-14
    )
    assert solved.success
    return torch.from_numpy(solved.y.T.copy())


def rms(f: Tensor) -> float:
    """The L²(ρ̂) norm of outputs: √(mean over points of ‖f(x)‖²)."""
    return float(f.square().sum(1).mean().sqrt())


def kappa(s: Setting, tries: int = 40) -> float:
    """κ of αh at w0 from the whole second derivative, its norm by many random starts."""
    n = len(s.x)
    jacobian = s.jacobian(s.x)[:, 0] / n**0.5
    second = torch.func.hessian(lambda u: s.h(u, s.x)[:, 0])(s.w0) / n**0.5
    generator = torch.Generator().manual_seed(0)
    best = 0.0
    for _ in range(tries):
        u = torch.randn(len(s.w0), generator=generator, dtype=torch.float64)
        for _ in range(200):
            u = u / u.norm()
            q = torch.einsum("npq,p,q->n", second, u, u)
            matrix = torch.einsum("n,npq->pq", q / q.norm().clamp(min=1e-300), second)
            eigenvalues, vectors = torch.linalg.eigh(matrix)
            u = vectors[:, eigenvalues.abs().argmax()]
        q = torch.einsum("npq,p,q->n", second, u, u)
        best = max(best, float(q.norm()))
    residual = rms(s.alpha * s.h(s.w0, s.x) - s.y)
    return residual * best / (s.alpha * float(torch.linalg.matrix_norm(jacobian, 2)) ** 2)
