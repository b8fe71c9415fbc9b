"""How fast the inputs of hidden units move at the start of gradient flow."""

import numpy as np
import torch

from lazycore.engine.problem.problem import Problem


def preactivation_speed(problem: Problem) -> np.ndarray | None:
    r"""Return the rms speed of the pre-activations of each hidden layer at t = 0, (layers,).

        √( (1/n) Σ_μ (1/m) Σ_i ż_i^l(x_μ)² ),   ż^l = D_w z^l(w0) · w',   w' = −∇F_α(w0)

    over the training points, in units of z per flow time (Geiger, Spigler, Jacot & Wyart
    2020, arXiv:1906.08034, where it falls as 1/√m at fixed α√m). None for networks whose
    hidden units are not known layer by layer. Cost: about four passes over the points.
    """
    network, train = problem.network, problem.train
    if not network.stacked or not network.observe(problem.w0, train.x[:1])[1]:
        return None
    residual = problem.residual(train.start).to(train.features.like)
    velocity = -train.features.adjoint(residual).to(problem.w0) / problem.alpha

    w = problem.w0.detach().requires_grad_()
    hidden = network.observe(w, train.x)[1]
    # A forward-mode product by two backward ones, r → (Dz)ᵀ r being linear in r: the first
    # use of forward mode in a process takes two seconds.
    probes = [torch.zeros_like(z, requires_grad=True) for z in hidden]
    pulled = torch.autograd.grad(hidden, w, probes, create_graph=True)[0]
    speeds = torch.autograd.grad(pulled, probes, velocity)
    return np.array([float(z.square().mean().sqrt()) for z in speeds])
