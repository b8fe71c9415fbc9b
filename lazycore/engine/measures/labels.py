"""What is measured of outputs where targets are classes: errors, margins, agreement."""

from torch import Tensor

from lazycore.engine.problem.problem import Problem


def has_signs(problem: Problem) -> bool:
    """Whether the targets are labels y = ±1 of one output."""
    return problem.classes == 2 and problem.targets.shape[1] == 1


def smallest_margin(f: Tensor, y: Tensor) -> Tensor:
    """Return min_i y_i f_i of outputs f (r, n, 1) and labels y (n, 1), (r,).

    In output units; above 0 every point is on its side. Geiger et al. (2020,
    arXiv:1906.08034) train until it is 1.
    """
    return (y * f).amin((-2, -1))


def sign_agreement(f: Tensor, other: Tensor) -> Tensor:
    """Return the share of points at which both outputs (r, n, 1) have one sign, (r,).

    Two zeros agree: at time 0 of zeroed models it is 1.
    """
    return (f.sign() == other.sign()).to(f.dtype).mean((-2, -1))


def share_of_errors(f: Tensor, y: Tensor) -> Tensor:
    """Return the share of points with y·f ≤ 0, or whose largest output is another class, (…,).

    f: outputs (…, n, k). y: labels ±1 (n, 1) or one-hot rows (n, k).
    """
    if f.shape[-1] == 1:
        return (y * f <= 0.0).to(f.dtype).mean((-2, -1))
    # A tie is not a decision: equal outputs (all zero at the start) are an error.
    ranked = f.topk(2, dim=-1).values
    wrong = (f.argmax(-1) != y.argmax(-1)) | (ranked[..., 0] == ranked[..., 1])
    return wrong.to(f.dtype).mean(-1)
