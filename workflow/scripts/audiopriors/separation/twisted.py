"""A particle filter down the noise levels, whose particles look ahead to the mix."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .gibbs import resampled
from .samplers import Callback, Denoiser, Plan, drawn, report


def twisted(
    mix: Tensor, denoisers: list[Denoiser], plan: Plan, generator: torch.Generator, callback: Callback | None = None,
    *, powers: list[float], noise: float, group: int, probe: float,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The twisted diffusion sampler (Wu et al., 2023): ancestral steps of all sources, weighted by the mix.

    The priors' law is that of the chain x' = D(x; a) + (b / a)^2 (x - D(x; a)) + b sqrt(1 - (b / a)^2) n from level a
    to b, which ends with s = D(x). At each level the mix's likelihood is foreseen as psi(x) = N(M; sum_k D_k(x_k; a),
    v_a), where v_a is noise^2 and what each source is expected to have left, a^2 P_k / (a^2 + P_k). A step is moved
    along grad log psi, and weighted by psi' p / (psi q), so that the moves cause no bias. The gradient needs D's
    Jacobian times the residual, which is a difference of two calls.

    mix: M (B, 1, T), in which `group` particles of one mix follow each other, with noise of that deviation. powers:
    P_k, the sources' mean squares. probe: the length of the difference, over a. Returns the samples (N, B, 1, T), and
    the log of each mix's evidence under the chain's law, (B / group,) float64.
    """
    levels, number = plan.sigmas + plan.settle, len(denoisers)
    state = levels[0] * drawn((number, *mix.shape), mix, generator)
    evidence = mix.new_zeros(len(mix) // group, dtype=torch.float64)
    log_weight, foreseen = evidence.new_zeros(len(evidence), group), evidence.new_zeros(len(mix))

    def denoised_at(x: Tensor, sigma: float) -> Tensor:
        return torch.stack([denoiser(part, sigma) for denoiser, part in zip(denoisers, x, strict=True)])

    def log_likelihood(estimates: Tensor, variance: float) -> Tensor:
        """log N(M; the sum of the estimates, variance)."""
        error = (mix - estimates.sum(0)).double().square().sum((1, 2))
        return -0.5 * error / variance - 0.5 * mix.shape[2] * math.log(2 * math.pi * variance)

    for level, (sigma, after) in enumerate(zip(levels, (*levels[1:], 0.0), strict=True)):
        denoised = denoised_at(state, sigma)
        left = sum(sigma**2 * power / (sigma**2 + power) for power in powers) if after else 0.0
        ahead = log_likelihood(denoised, noise**2 + left)
        log_weight = log_weight + (ahead - foreseen).view(-1, group)
        evidence += log_weight.logsumexp(1) - math.log(group)
        chosen = resampled(log_weight, generator)
        state, denoised, foreseen = state[:, chosen], denoised[:, chosen], ahead[chosen]
        log_weight = torch.zeros_like(log_weight)
        if callback:
            report(callback, level, sigma, mix, denoised)
        if not after:
            return denoised, evidence
        residual = (mix - denoised.sum(0)) / (noise**2 + left)
        length = probe * sigma / residual.square().mean((1, 2), keepdim=True).sqrt().clamp_min(1e-20)
        slope = (denoised_at(state + length * residual, sigma) - denoised) / length
        kept = (after / sigma) ** 2
        variance = after**2 * (1 - kept)
        step = variance**0.5 * drawn(state.shape, state, generator)
        shift = variance * slope
        log_weight = -((shift * (step + 0.5 * shift)).double().sum((0, 2, 3)) / variance).view(-1, group)
        state = denoised + kept * (state - denoised) + shift + step
    raise AssertionError("the last level returns")
