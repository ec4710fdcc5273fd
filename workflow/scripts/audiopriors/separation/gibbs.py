"""Samplers that draw one source after the other: Gibbs sampling at falling noise, with and without weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from .samplers import Callback, Colour, Denoiser, Plan, drawn, report

# A draw from p(s | x) of x = s + sigma n, from x (B, 1, T) and sigma.
Draw = Callable[[Tensor, float], Tensor]


def diffusion_within_gibbs(
    mix: Tensor, draws: list[Draw], denoisers: list[Denoiser], plan: Plan, callback: Callback | None = None,
    *, turns: int = 1,
) -> Tensor:  # fmt: skip
    """Gibbs sampling at falling noise: each source in turn is drawn given the others.

    This is Diffusion-within-Gibbs (arXiv 2509.12857; Zhang, Guo & Eldar, 2026, arXiv 2602.10792) where the draws are
    reverse diffusions. Given the other samples, the rest M - sum_{j != k} s_j is s_k at noise level sigma. So s_k is
    drawn from p(s_k | rest). At a fixed sigma the law tends to p(s | M) at Gamma = sigma, with more sweeps, if draws
    are exact. `samplers.alternating` adds noise to the rest; this does not.

    Levels, entries, turns and the last sweeps, without noise, are those of `samplers.alternating`. Before its entry a
    sample is 0. mix: M (B, 1, T). The callback gets the samples. Returns the estimates of the last sweeps, or the last
    samples if there are no such sweeps, (N, B, 1, T).
    """
    order, levels = plan.order, plan.sigmas + plan.settle
    samples = mix.new_zeros(len(draws), *mix.shape)
    for level, sigma in enumerate(levels):
        ask = draws if level < len(plan.sigmas) else denoisers
        for place in range(len(order)):
            for turn in range(min(turns, len(mix))):
                items, k = slice(turn, None, turns), order[(place + turn) % len(order)]
                if sigma <= plan.entries[k]:
                    rest = (mix - samples.sum(0) + samples[k])[items]
                    samples[k, items] = ask[k](rest, sigma)
        if callback:
            report(callback, level, sigma, mix, samples)
    return samples


def split_gibbs(
    mix: Tensor, draws: list[Draw], plan: Plan, generator: torch.Generator, callback: Callback | None = None,
    *, noise: float,
) -> Tensor:  # fmt: skip
    """Split Gibbs sampling (Vono et al., 2019) with draws by the priors: PnP-DM (Wu et al., 2024), for all sources.

    z_k is s_k with noise of deviation sigma, which falls. In turn all z are drawn given s and the mix, which is a
    Gaussian, and all s_k given z_k. At a fixed sigma the law tends to p(s | M) at Gamma^2 = noise^2 + N sigma^2. mix: M
    (B, 1, T), with noise of that deviation; 0: the z add up to M. Returns the last samples (N, B, 1, T).
    """
    number = len(draws)
    samples = mix.new_zeros(number, *mix.shape)
    for level, sigma in enumerate(plan.sigmas + plan.settle):
        noisy = samples + sigma * drawn(samples.shape, samples, generator)
        seen = mix + noise * drawn(mix.shape, mix, generator) if noise else mix
        noisy = noisy + (seen - noisy.sum(0)) * sigma**2 / (number * sigma**2 + noise**2)
        samples = torch.stack([draw(part, sigma) for draw, part in zip(draws, noisy, strict=True)])
        if callback:
            report(callback, level, sigma, mix, samples)
    return samples


def annealed_gibbs(
    mix: Tensor, draws: list[Draw], plan: Plan, generator: torch.Generator, callback: Callback | None = None,
    *, group: int, sweeps: int = 1,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Gibbs sampling at falling noise, with weights that correct what its finite number of sweeps leaves wrong.

    This is a sequential Monte Carlo sampler (Del Moral et al., 2006) on the sources. At level g its target p_g(s | M)
    is proportional to prod_k p(s_k) N(M; sum s, g^2). Particles begin as draws of the priors. From one level to the
    next each gets the weight N(M; sum s, g'^2) / N(M; sum s, g^2), which asks no prior; particles are resampled by
    their weights; then sweeps of `diffusion_within_gibbs` move each at the new level. With exact draws, more particles
    lead to the posterior at the last level, whatever the levels and the number of sweeps.

    mix: M (B, 1, T), in which `group` particles of the same mix follow each other. Levels of `plan.settle` are not
    used, and all sources take part at all levels. Returns the samples (N, B, 1, T), and the log of each mix's evidence
    p(M) at the last level (B / group,), float64, an unbiased estimate in exp.
    """
    far = 4 * max(plan.sigmas)
    samples = torch.stack([draw(far * drawn(mix.shape, mix, generator), far) for draw in draws])
    evidence, before, length = mix.new_zeros(len(mix) // group, dtype=torch.float64), 0.0, mix.shape[2]
    for level, sigma in enumerate(plan.sigmas):
        error = (mix - samples.sum(0)).double().square().sum((1, 2)).view(-1, group)
        precision = 1 / sigma**2
        weight = -0.5 * (precision - before) * error
        normal = math.log(precision / before) if before else math.log(precision / (2 * math.pi))
        evidence += 0.5 * length * normal + weight.logsumexp(1) - math.log(group)
        samples = samples[:, resampled(weight, generator)]
        for _ in range(sweeps):
            for k in plan.order:
                samples[k] = draws[k](mix - samples.sum(0) + samples[k], sigma)
        before = precision
        if callback:
            report(callback, level, sigma, mix, samples)
    return samples, evidence


def resampled(log_weight: Tensor, generator: torch.Generator) -> Tensor:
    """Items drawn by their weights, with one random number a group (systematic; Kitagawa, 1996).

    log_weight: (groups, n). Returns the numbers of n items of each group, in all items, (groups * n,).
    """
    groups, number = log_weight.shape
    total = torch.softmax(log_weight, 1).cumsum(1)
    uniform = torch.rand(groups, 1, generator=generator, dtype=torch.float64).to(total.device)
    place = (torch.arange(number, device=total.device) + uniform) / number
    chosen = torch.searchsorted(total, place * total[:, -1:]).clamp(max=number - 1)
    return (chosen + number * torch.arange(groups, device=total.device)[:, None]).flatten()


def by_reverse_diffusion(
    denoiser: Denoiser, lowest: float, steps: int, generator: torch.Generator, coloured: Colour | None = None,
    probe: float = 0.0,
) -> Draw:  # fmt: skip
    """A draw by `reverse_diffusion` in so many steps, evenly spaced in log sigma, down to the lowest level."""

    def draw(x: Tensor, sigma: float) -> Tensor:
        return reverse_diffusion(x, denoiser, np.geomspace(sigma, lowest, steps).tolist(), generator, coloured, probe)

    return draw


def reverse_diffusion(
    x: Tensor, denoiser: Denoiser, sigmas: Sequence[float], generator: torch.Generator, coloured: Colour | None = None,
    probe: float = 0.0,
) -> Tensor:  # fmt: skip
    """A draw from p(s | x) for x = s + sigmas[0] n, by ancestral steps (Ho et al., 2020) down the levels.

    From s + a n to s + b n, of b < a:

        x <- D(x; a) + (b / a)^2 (x - D(x; a)) + b sqrt(1 - (b / a)^2) n.

    The last step goes to b = 0 and returns D. A step leaves out the variance (1 - (b / a)^2)^2 Var[s | x], so a draw
    varies too little: the less so, the more levels there are and the lower the last one. For Gaussian sources its mean
    is exact.

    probe: with a number e above 0, each step has a noise of about that variance. Var[s | x] = a^2 J, where J is D's
    Jacobian. In directions in which the source moves freely J is 1, where it cannot move J is 0; so J n has about the
    covariance J. It is (D(x + e a n) - D(x)) / (e a), a second call of D. x: (B, 1, T). Returns (B, 1, T).
    """
    for sigma, after in zip(sigmas, (*sigmas[1:], 0.0), strict=True):
        denoised, kept = denoiser(x, sigma), (after / sigma) ** 2
        if after and probe:
            nearby = denoiser(x + probe * sigma * drawn(x.shape, x, generator, coloured), sigma)
            denoised = denoised + (nearby - denoised) / probe
        x = denoised + kept * (x - denoised)
        if after:
            x = x + after * (1 - kept) ** 0.5 * drawn(x.shape, x, generator, coloured)
    return x
