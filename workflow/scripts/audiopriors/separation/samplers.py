"""Samplers of p(sources | mix), as pure functions of callables and tensors.

Everywhere the mix is M = N m, the sum of the sources, and p(M | s) = N(M; sum_k s_k, Gamma^2 I).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..audio.spectra import masked, spectra
from ..priors.base import FAR, tweedie

# Given the sources (N, B, 1, T): log p_k(s_k), (N, B) in nats, and its gradient (N, B, 1, T).
Prior = Callable[[Tensor], tuple[Tensor, Tensor]]
# E[s | x] of x = s + sigma n, from x (B, 1, T) and sigma.
Denoiser = Callable[[Tensor, float], Tensor]
# Noise of another colour, of deviation 1, from white noise. Shape as it is.
Colour = Callable[[Tensor], Tensor]
# Called with the level's number, the step, the energy (B,) in nats, the residual's rms (B,) and the sources
# (N, B, 1, T): by Langevin samplers before each step, by others after each level.
Callback = Callable[[int, int, Tensor, Tensor, Tensor], None]


@dataclass(frozen=True)
class Level:
    """One noise level: `steps` steps of eta = step_size sigma^2 with Gamma = mixture_width sigma.

    noise: of the mix itself. Where Gamma would be less than what is left of it beside N sources' own sigma, it is that.
    """

    prior: Prior
    sigma: float
    steps: int
    step_size: float
    mixture_width: float
    noise: float = 0.0

    def gamma(self, sources: int) -> float:
        """Gamma for so many sources."""
        left = self.noise**2 - sources * self.sigma**2
        return max(self.mixture_width * self.sigma, max(0.0, left) ** 0.5)


def drawn(shape: Sequence[int], like: Tensor, generator: torch.Generator, coloured: Colour | None = None) -> Tensor:
    """Noise of deviation 1 from a CPU generator, white or coloured, of the type and on the device of `like`."""
    white = torch.randn(tuple(shape), generator=generator, dtype=like.dtype).to(like.device)
    return coloured(white) if coloured else white


def langevin(
    sources: Tensor,
    mix: Tensor,
    levels: list[Level],
    generator: torch.Generator,
    callback: Callback | None = None,
) -> tuple[Tensor, Tensor]:
    """Unadjusted Langevin dynamics over the levels in turn; with several it is BASIS (Jayaram & Thickstun, 2020).

    s_k <- s_k + eta [grad log p(s_k) + (M - sum_j s_j) / Gamma^2] + sqrt(2 eta) eps_k, all k from the same state.
    (Equation 3 and Algorithm 1 of the paper have a wrong sign at the mixture term. Algorithm 1 also has 2 sqrt(eta) for
    sqrt(2 eta).) In a direction of curvature lambda its stationary variance is too large by the factor 1 / (1 - eta
    lambda / 2).

    sources: the start (N, B, 1, T); mix: M (B, 1, T). Returns the state, and which items (B,) stopped: a step of theirs
    was not finite or left [-100, 100], so they stay where they were before it.
    """
    stopped = torch.zeros(mix.shape[0], dtype=torch.bool, device=mix.device)
    for number, level in enumerate(levels):
        eta, gamma = level.step_size * level.sigma**2, level.gamma(len(sources))
        for step in range(level.steps):
            log_prob, gradient = level.prior(sources)
            residual = mix - sources.sum(0)
            if callback:
                energy = residual.double().square().sum((1, 2)) / (2 * gamma**2) - log_prob.sum(0)
                callback(number, step, energy, residual.double().square().mean((1, 2)).sqrt(), sources)
            noise = drawn(sources.shape, sources, generator)
            proposal = sources + eta * (gradient + residual / gamma**2) + (2 * eta) ** 0.5 * noise
            stopped = stopped | ~(proposal.abs() < FAR).all(3).all(2).all(0)
            sources = torch.where(stopped[None, :, None, None], sources, proposal)
    return sources, stopped


def metropolis(
    sources: Tensor, mix: Tensor, levels: list[Level], generator: torch.Generator, callback: Callback | None = None,
    *, by_scores: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Metropolis-adjusted Langevin dynamics (MALA, Roberts & Tweedie, 1996) over the levels in turn.

    The finite steps cause no bias. The proposal is the step of `langevin`, of all sources at once. It is taken with
    probability min(1, pi(s') q(s | s') / pi(s) q(s' | s)); otherwise the item stays where it is for this step.
    Arguments and results are as in `langevin`; no item stops.

    by_scores: take log p(s') - log p(s) to be the mean of both scores times the step (the trapezoid rule along the
    line; Sjoeberg et al., 2023), for priors whose log p is dear. It is exact for Gaussians.
    """
    for number, level in enumerate(levels):
        eta, gamma = level.step_size * level.sigma**2, level.gamma(len(sources))

        def target(state: Tensor, level=level, gamma=gamma) -> tuple[Tensor, Tensor, Tensor, Tensor]:
            log_prob, gradient = level.prior(state)
            residual = mix - state.sum(0)
            energy = residual.double().square().sum((1, 2)) / (2 * gamma**2)
            if not by_scores:
                energy = energy - log_prob.double().sum(0)
            return energy, gradient + residual / gamma**2, residual, gradient

        energy, drift, residual, score = target(sources)
        for step in range(level.steps):
            if callback:
                callback(number, step, energy, residual.double().square().mean((1, 2)).sqrt(), sources)
            noise = drawn(sources.shape, sources, generator)
            proposal = sources + eta * drift + (2 * eta) ** 0.5 * noise
            uniform = torch.rand(mix.shape[0], generator=generator, dtype=torch.float64).to(mix.device)
            proposed = target(proposal)
            back = (sources - proposal - eta * proposed[1]).double().square().sum((0, 2, 3)) / (4 * eta)
            forth = noise.double().square().sum((0, 2, 3)) / 2
            gain = energy - proposed[0]
            if by_scores:
                gain = gain + 0.5 * ((score + proposed[3]) * (proposal - sources)).double().sum((0, 2, 3))
            taken = uniform.log() < gain + forth - back  # False where something is not finite
            sources = torch.where(taken[None, :, None, None], proposal, sources)
            drift = torch.where(taken[None, :, None, None], proposed[1], drift)
            energy = torch.where(taken, proposed[0], energy)
            residual = torch.where(taken[:, None, None], proposed[2], residual)
            score = torch.where(taken[None, :, None, None], proposed[3], score)
    return sources, torch.zeros(mix.shape[0], dtype=torch.bool, device=mix.device)


@dataclass(frozen=True)
class Plan:
    """Noise levels of a sampler that goes from large to small noise with one denoiser a source."""

    sigmas: tuple[float, ...]
    "Levels with noise, descending."
    settle: tuple[float, ...]
    "Levels of the last sweeps, without noise."
    entries: tuple[float, ...]
    "For each source, the level from which on it takes part: above it, its denoiser sees nothing of the source."

    @property
    def order(self) -> list[int]:
        """The numbers of the sources, those of early entry first."""
        return sorted(range(len(self.entries)), key=lambda k: -self.entries[k])


def alternating(
    mix: Tensor,
    denoisers: list[Denoiser],
    plan: Plan,
    generator: torch.Generator,
    callback: Callback | None = None,
    share: float | None = None,
    turns: int = 1,
    start: Tensor | None = None,
    coloured: Colour | None = None,
    noise: float = 0.0,
) -> Tensor:
    """Estimate one source at a time from what the others leave of the mix, at falling noise.

    It is of the family that is known as Diffusion-within-Gibbs (gibbs.py), with one step of a denoiser in place of a
    draw. With d_k the estimate of source k, its sample is z_k = d_k + sqrt(share) sigma n_k. A sweep at sigma visits
    each source: r = M - sum_{j != k} z_j + sqrt(1 - (N - 1) share) sigma n is s_k at noise level sigma, as each other
    sample carries its part of the noise. So d_k = D_k(r; sigma), and n_k is drawn anew. (Split Gibbs sampling, Vono et
    al., 2019, would draw from a posterior; this takes the posterior's mean plus noise.) share: by default 1 / N; at
    most 1 / (N - 1), where no noise n is left to add.

    Sources take part from their entry on, those of early entry first. Item i begins with the (i % turns)-th of them and
    goes around, as at high noise the first source takes what it can. Before its entry z_k is noise only; or, with a
    start (N, B, 1, T), d_k is the start. The last sweeps have no noise: d_k = D_k(M - sum_{j != k} d_j; sigma). mix: M
    (B, 1, T). coloured: the noise that the denoisers know, by default white. noise: the deviation of the noise that the
    mix has itself; it takes the place of noise n. Returns the estimates d (N, B, 1, T).
    """
    number = len(denoisers)
    share = min(1 / number if share is None else share, 1 / max(1, number - 1))
    kept, fresh = share**0.5, max(0.0, 1 - (number - 1) * share) ** 0.5
    order = plan.order

    def added_noise(deviation: float) -> Tensor:
        return deviation * drawn(mix.shape, mix, generator, coloured)

    estimates = mix.new_zeros(number, *mix.shape) if start is None else start.clone()
    carried = torch.stack([added_noise(kept) for _ in denoisers])  # sqrt(share) n_k
    for level, sigma in enumerate(plan.sigmas + plan.settle):
        settling = level >= len(plan.sigmas)
        deviation = fresh * sigma
        if noise:
            deviation = max(0.0, deviation**2 - noise**2) ** 0.5
        for place in range(number):
            sampled = estimates if settling else estimates + sigma * carried
            added, anew = (0, None) if settling else (added_noise(deviation), added_noise(kept))
            for turn in range(min(turns, len(mix))):
                items, k = slice(turn, None, turns), order[(place + turn) % number]
                if sigma <= plan.entries[k]:
                    rest = (mix - sampled.sum(0) + sampled[k] + added)[items]
                    estimates[k, items] = denoisers[k](rest, sigma)
                if anew is not None:
                    carried[k, items] = anew[items]
        if callback:
            report(callback, level, sigma, mix, estimates)
    return estimates


def report(callback: Callback, level: int, sigma: float, mix: Tensor, estimates: Tensor) -> None:
    """Call the callback with estimates at a level. The energy is that of the mix alone, at Gamma = sigma."""
    residual = (mix - estimates.sum(0)).double().square().mean((1, 2))
    callback(level, 0, 0.5 * mix.shape[2] * residual / sigma**2, residual.sqrt(), estimates)


def from_level(first: int, callback: Callback) -> Callback:
    """The callback for a run that is a part of another one: its level 0 is level `first` of the whole."""

    def shifted(level: int, *state) -> None:
        callback(first + level, *state)

    return shifted


def guided(
    mix: Tensor,
    denoisers: list[Denoiser],
    plan: Plan,
    generator: torch.Generator,
    callback: Callback | None = None,
    *,
    guidance: str,
    width: float = 1.0,
    churn: float = 0.0,
    coloured: Colour | None = None,
    noise: float = 0.0,
) -> Tensor:
    """The reverse diffusion of all sources at once under the mix (MSDM, Mariani et al., 2024), by Euler steps.

    With guidance `dirac`, the last source is what the others leave of the mix, so each other source's score is S_k(x_k)
    - S_N(M - sum_j x_j). With `gaussian` it is S_k(x_k) + (M - sum_j x_j) / (width sigma)^2. Neither is exact, even for
    Gaussian sources. churn: the share by which added noise raises sigma before a step (Karras et al., 2022). mix: M (B,
    1, T). coloured: as in `alternating`. noise: the deviation of the mix's own, which `gaussian` adds to the width; for
    `dirac` it is a part of the last source. Returns the state without the remaining noise (N, B, 1, T).
    """
    number = len(denoisers)
    free = number - (guidance == "dirac")
    levels = plan.sigmas + plan.settle

    def added_noise(deviation: float) -> Tensor:
        return deviation * drawn((free, *mix.shape), mix, generator, coloured)

    def whole(state: Tensor) -> Tensor:
        return torch.cat([state, (mix - state.sum(0))[None]]) if guidance == "dirac" else state

    state = added_noise(levels[0]) + (mix / number if guidance == "dirac" else 0)
    for level, (sigma, after) in enumerate(zip(levels, (*levels[1:], 0.0), strict=True)):
        raised = sigma * (1 + churn)
        if churn:
            state = state + added_noise((raised**2 - sigma**2) ** 0.5)
        every = whole(state)
        denoised = torch.stack([denoiser(one, raised) for denoiser, one in zip(denoisers, every, strict=True)])
        pull = denoised - every  # sigma^2 times each score
        if guidance == "dirac":
            pull = pull[:-1] - pull[-1]
        else:
            pull = pull + (mix - state.sum(0)) / (width**2 + (noise / raised) ** 2)
        state = state + (1 - after / raised) * pull
        if callback:
            report(callback, level, sigma, mix, denoised)
    return whole(state)


def restarted(
    run: Callable[[Tensor], tuple[Tensor, Tensor]],
    mix: Tensor,
    *,
    particles: Sequence[int],
    accept: float,
    watch: Callable[[int, Tensor, Tensor, Tensor], None] | None = None,
    combine: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """The best of several runs with fresh noise for each mix. Rounds of particles are run until one is accepted.

    run: takes mixes (B', 1, T) and returns estimates (N, B', 1, T) and their misfit (B',), which must not use the true
    sources. The least misfit is best, and one of at most `accept` ends the rounds of that mix. particles: the number of
    particles in each round. mix: M (B, 1, T). watch: called after each round with its number, the mixes' numbers (n,),
    all estimates (N, n, particles, 1, T) and misfits (n, particles).

    combine: if given, replaces the best of a round, for example by the mean. It takes all estimates of the round (N, n,
    particles, 1, T) and the mixes (n, 1, T), and returns (N, n, 1, T).

    Returns the best estimates (N, B, 1, T) and their misfits (B,).
    """
    waiting = torch.arange(mix.shape[0], device=mix.device)
    best: Tensor | None = None
    least = torch.full((mix.shape[0],), float("inf"), dtype=torch.float64, device=mix.device)
    for number, count in enumerate(particles):
        estimates, misfit = run(mix[waiting].repeat_interleave(count, 0))
        estimates, misfit = estimates.unflatten(1, (-1, count)), misfit.double().view(-1, count)
        misfit = misfit.nan_to_num(nan=float("inf"))
        if watch:
            watch(number, waiting, estimates, misfit)
        value, place = misfit.min(1)
        chosen = estimates[:, torch.arange(len(place), device=place.device), place]
        if combine:
            chosen = combine(estimates, mix[waiting])
        if best is None:
            best = chosen.clone()
        better = value < least[waiting]
        best[:, waiting[better]], least[waiting[better]] = chosen[:, better], value[better]
        waiting = waiting[least[waiting] > accept]
        if not len(waiting):
            break
    assert best is not None  # there is at least one round
    return best, least


def mean(particles: Tensor, mix: Tensor) -> Tensor:
    """The average of particles, nearer to the posterior's mean. Shape: (N, B, P, 1, T), (B, 1, T) -> (N, B, 1, T)."""
    return particles.mean(2)


def mask(particles: Tensor, mix: Tensor) -> Tensor:
    """The mix, shared out on its spectrogram by the particles' average magnitudes: a filter's output, not a sample.

    Shape: (N, B, P, 1, T), (B, 1, T) -> (N, B, 1, T).
    """
    return masked(_of_particles(particles).abs().mean(2), mix)


def shared(particles: Tensor, mix: Tensor) -> Tensor:
    """The average of particles, plus what it leaves of the mix, shared out by the particles' powers in each bin.

    It adds up to the mix. If each source were a Gaussian around its average, with a variance in proportion to its
    power, this would be the posterior's mean. Shape: (N, B, P, 1, T), (B, 1, T) -> (N, B, 1, T).
    """
    average = particles.mean(2)
    return average + masked(_of_particles(particles).abs().square().mean(2), mix - average.sum(0))


def _of_particles(particles: Tensor) -> Tensor:
    """The spectra of particles. Shape: (N, B, P, 1, T) -> (N, B, P, bins, times)."""
    return spectra(particles.flatten(0, 3)).unflatten(0, particles.shape[:3])


def denoise(sources: Tensor, prior: Prior, sigma: float) -> Tensor:
    """Remove the remaining noise: E[s | s + sigma eps] = s + sigma^2 grad log p_sigma (Tweedie). Shape as given."""
    return tweedie(sources, prior(sources)[1], sigma)
