"""Hypotheses that several theorems share, each checked on what a run recorded."""

from lazycore.config import spec
from lazycore.papers.lazy_training.theorems._constants import Constants
from lazycore.papers.theorem import Hypothesis

ZERO = 1e-12


def gradient_flow(known: Constants) -> Hypothesis:
    """Return whether the weights follow w' = −∇F_α(w)."""
    text = "The weights follow the gradient flow of $F_α$"
    name = known.config.get("dynamics")
    if known.is_flow:
        return Hypothesis(text, True, f"dynamics = {name}")
    other = "discrete steps" if spec.takes_steps(name) else "another path"
    return Hypothesis(text, False, f"dynamics = {name}: {other}")


def smooth(known: Constants) -> Hypothesis:
    """Return Assumption 2.1 for h: a locally Lipschitz differential."""
    text = "$h$ is differentiable and $Dh$ is locally Lipschitz"
    if known.get("smooth") is None:
        return Hypothesis(text, None, "not recorded by this run: run it again")
    if known.get("smooth"):
        return Hypothesis(text, True, "smooth in the weights")
    name = known.config.get("activation") or known.config.get("model")
    return Hypothesis(text, False, f"{name} has kinks: it is not smooth")


def lipschitz_gradient(known: Constants) -> Hypothesis:
    """Return Assumption 2.1 for R: a Lipschitz gradient."""
    text = "$∇R$ is Lipschitz"
    return Hypothesis(text, True, f"with $M = {known.loss['curvature']:g}$, exactly")


def zero_start(known: Constants) -> Hypothesis:
    """Return whether h(w0) = 0."""
    text, size = "$h(w_0) = 0$", known.get("initial_output")
    if size is None:
        return Hypothesis(text, None, "not recorded by this run: run it again")
    if size <= ZERO:
        return Hypothesis(text, True, "exactly")
    return Hypothesis(text, False, f"‖h(w₀)‖ = {size:.3g}: choose zero_output = centered")


def square_loss(known: Constants) -> Hypothesis:
    """Return whether R(y) = ½ ‖y − y*‖²."""
    name = known.config.get("loss")
    return Hypothesis(
        "The loss is the square loss", bool(known.loss["quadratic"]), f"loss = {name}"
    )


def strongly_convex(known: Constants) -> Hypothesis:
    """Return whether R is m-strongly convex with a Lipschitz gradient."""
    text = "$R$ is $m$-strongly convex and $M$-smooth"
    convexity, curvature = known.loss.get("convexity", 0.0), known.loss["curvature"]
    if convexity > 0.0:
        found = (
            f"m = {convexity:g}, M = {curvature:g}, κ = M/m = {curvature / convexity:g}, exactly"
        )
        return Hypothesis(text, True, found)
    return Hypothesis(text, False, f"the {known.config.get('loss')} loss flattens: m = 0")
