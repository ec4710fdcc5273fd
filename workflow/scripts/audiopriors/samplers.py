"""Samplers of p(sources | mix), as pure functions of callables and tensors.

Everywhere the mix is M = N m, the sum of the sources, and p(M | s) = N(M; sum_k s_k, Gamma^2 I).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

# Given the sources (N, B, 1, T): log p_k(s_k), (N, B) in nats, and its gradient (N, B, 1, T).
Prior = Callable[[Tensor], tuple[Tensor, Tensor]]
# Called after every step with the level's number, the step, the energy (B,) in nats and the residual's rms (B,).
Callback = Callable[[int, int, Tensor, Tensor], None]

_FAR = 100.0  # a waveform lives in [-1, 1]: beyond this a step has diverged


@dataclass(frozen=True)
class Level:
    """One noise level: `steps` steps of eta = step_size sigma^2 with Gamma = mixture_width sigma."""

    prior: Prior
    sigma: float
    steps: int
    step_size: float
    mixture_width: float


def langevin(
    sources: Tensor,
    mix: Tensor,
    levels: list[Level],
    generator: torch.Generator,
    callback: Callback | None = None,
) -> tuple[Tensor, Tensor]:
    """Unadjusted Langevin dynamics over the levels in turn; with several it is BASIS (Jayaram & Thickstun, 2020).

    s_k <- s_k + eta [grad log p(s_k) + (M - sum_j s_j) / Gamma^2] + sqrt(2 eta) eps_k, all k from the same state.
    (Equation 3 and Algorithm 1 of the paper have a wrong sign at the mixture term, Algorithm 1 also 2 sqrt(eta) for
    sqrt(2 eta).) In a direction of curvature lambda its stationary variance is 1 / (1 - eta lambda / 2) too large.

    sources: the start (N, B, 1, T); mix: M (B, 1, T). Returns the state, and which items (B,) stopped: a step of
    theirs was not finite or left [-100, 100], so they stay where they were before it.
    """
    stopped = torch.zeros(mix.shape[0], dtype=torch.bool, device=mix.device)
    for number, level in enumerate(levels):
        eta, gamma = level.step_size * level.sigma**2, level.mixture_width * level.sigma
        for step in range(level.steps):
            log_prob, gradient = level.prior(sources)
            residual = mix - sources.sum(0)
            if callback:
                energy = residual.double().square().sum((1, 2)) / (2 * gamma**2) - log_prob.sum(0)
                callback(number, step, energy, residual.double().square().mean((1, 2)).sqrt())
            noise = torch.randn(sources.shape, generator=generator, dtype=sources.dtype).to(sources.device)
            proposal = sources + eta * (gradient + residual / gamma**2) + (2 * eta) ** 0.5 * noise
            stopped = stopped | ~(proposal.abs() < _FAR).all(3).all(2).all(0)
            sources = torch.where(stopped[None, :, None, None], sources, proposal)
    return sources, stopped


def denoise(sources: Tensor, prior: Prior, sigma: float) -> Tensor:
    """Remove the noise that is left: E[s | s + sigma eps] = s + sigma^2 grad log p_sigma (Tweedie). Shape as given."""
    denoised = sources + sigma**2 * prior(sources)[1]
    return torch.where(denoised.abs() < _FAR, denoised, sources)


def parametric_oracle(waves: Tensor, mix: Tensor) -> Tensor:
    """Least squares for the amplitudes, given every source's true wave at amplitude 1: what f and phase are worth.

    waves (N, B, 1, T), mix M (B, 1, T) -> estimates (N, B, 1, T).
    """
    basis = waves[:, :, 0].permute(1, 2, 0).double()  # (B, T, N)
    # The pseudo-inverse, as two waves in unison have no unique amplitudes.
    amplitudes = torch.linalg.pinv(basis) @ mix.double().transpose(1, 2)  # (B, N, 1)
    return (waves.double() * amplitudes.permute(1, 0, 2)[..., None]).to(waves)
