"""Posterior models q(sources | mix) = prod_k q_k(s_k | mix): an encoder of the mix, trained against frozen priors.

This is the thesis's "Modeling the posteriors", corrected (SPEC section 9). The encoder is the network of a score prior
with two outputs a source: the location of each sample, and its log-deviation (posteriors/base.py). The training sees no
pair of a mix and its sources. Objective `elbo` sees mixes alone; `sleep` sees mixes of waves drawn from the priors.
Only `errors`, which a sampler begins with, come from true sources of validation items.

A mix of one source with noise of a stated deviation is the thesis's "De-noising single signals". It is the same, except
that the encoder knows the noise, and need not explain all of the mix.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .. import registry
from ..checkpoints import CheckpointError, filled, load_tensors
from ..errors import UserError
from ..posteriors.base import Law, Parameters
from ..priors.base import Model, Prior, Sigma, Trainable
from ..seeds import torch_generator
from .scaled import Scaled

# For drawn waves, chosen on validation mixes. A denoiser overshoots, but a wave far beyond 1 is of no use.
FULL_SCALE, KEPT = 1.2, 0.75
WINDOW = 255  # samples over which the mix's level is measured


class Encoder(Model):
    """A network that gives the laws of the sources (B, N, T) of mixes M (B, 1, T). A source lies within its gain of 0.

    family, model: the prior whose network is used. The network's noise level is set as loud as the mix: to a prior, the
    other sources are noise. gains: those of the sources, (N,). noise: the deviation of noise in the mix, which is then
    the network's noise level; N is 1 then.
    """

    gains: Tensor

    def __init__(self, law: str, family: str, model: dict, gains: list[float], noise: float = 0.0):
        super().__init__()
        self.law: type[Law] = registry.load("posteriors", law).Law
        self.noise = noise
        config = registry.settings("priors", family, model)
        self.inner = registry.load("priors", family).build(config, 2 * len(gains))
        # For each source: a constant of its log-deviation, and a factor of the mix's level; a network that filters has
        # no such outputs.
        self.spread = nn.Parameter(torch.zeros(2, len(gains), 1))
        self.register_buffer("gains", torch.tensor(gains, dtype=torch.float32)[:, None], persistent=False)

    def take(self, prior: Prior) -> None:
        """Begin with a prior's weights where shapes match: what finds a source in noise helps to find it among others.

        With fresh weights, trainings make no progress for a thousand steps, or get half as far. A prior of another
        family has no such weights.
        """
        if type(prior) is not type(self.inner):
            return
        taken = prior.state_dict()
        for name, tensor in self.inner.state_dict().items():
            if name in taken and taken[name].shape == tensor.shape:
                tensor.copy_(taken[name])

    def forward(self, mix: Tensor) -> Parameters:
        """The two parameters of each sample's law at gain 1: (B, 1, T) -> (B, N, T), (B, N, T) float64."""
        deviation = float(self.inner.deviation)
        locations, log_deviations = self.inner.estimates(mix, self.noise or deviation).chunk(2, 1)
        # What the locations leave of the mix, minus the noise, is shared out, so that training begins at equal parts.
        share = 1 - min(1.0, self.noise / deviation) ** 2 if self.noise else 1 / len(self.gains)
        locations = locations + share * (mix - locations.sum(1, keepdim=True))
        log_deviations = log_deviations + self.spread[0] + self.spread[1] * _level(mix)
        return self.law.parameters(locations / self.gains, log_deviations)

    def log_prob(self, sources: Tensor, laws: Parameters) -> Tensor:
        """log q of sources (B, N, T) in nats, summed over time: (B, N) float64. Samples are clamped to the gain."""
        each = self.law.log_prob((sources / self.gains).clamp(-1, 1), *laws)
        return (each - self.gains.double().log()).sum(2)

    def draw(self, laws: Parameters, generator: torch.Generator) -> Tensor:
        """Draws of the sources (B, N, T) from q, float64, differentiable in its parameters."""
        share = torch.rand(laws[0].shape, generator=generator, dtype=torch.float64)
        return self.gains.double() * self.law.draw(share, *laws)

    def estimates(self, mix: Tensor) -> Tensor:
        """The posterior means E_q[sources]: (B, 1, T) -> (B, N, T)."""
        return (self.gains * self.law.mean(*self(mix))).to(mix.dtype)

    def quantiles(self, laws: Parameters, share: float) -> Tensor:
        """The quantiles of q at this share, for each sample: (B, N, T) float64."""
        first, second = (one.detach().cpu().numpy() for one in laws)
        return self.gains.double().cpu() * torch.from_numpy(self.law.quantile(share + 0 * first, first, second))

    def places(self, sources: Tensor, laws: Parameters) -> Tensor:
        """The share of q below each sample of sources (B, N, T), float64."""
        of = ((sources / self.gains).double(), *laws)
        return torch.from_numpy(self.law.cdf(*(one.detach().cpu().numpy() for one in of)))


def _level(mix: Tensor) -> Tensor:
    """The log of the mix's root mean square around each sample, at least 1e-3. Shape: (B, 1, T) -> (B, 1, T)."""
    power = nn.functional.avg_pool1d(mix.square(), WINDOW, 1, WINDOW // 2, count_include_pad=False)
    return 0.5 * (power + 1e-6).log()


def evidence_bound(
    sources: Tensor, log_q: Tensor, mix: Tensor, priors: list[Scaled], sigma: float, *, width: float,
    added: float = 0.0, noise: Tensor | None = None,
) -> dict[str, Tensor]:  # fmt: skip
    """The three parts of the evidence lower bound of log p(M), for one draw of q; each (B,) float64, in nats.

    log_likelihood: log N(M; sum_k s_k, (width sigma)^2 I). log_prior: sum_k log p_sigma(s_k). entropy: -log q.

    With noise n (B, N, T) of deviation `added`, p_sigma sees s_k + n_k, and log_likelihood is its mean over n. That is
    the bound for sources that carry this noise, but with the entropy of q instead of the larger entropy with noise.

    log_prior's gradient in the sources is the priors' score, so priors whose log p is costly can be used, too. If
    gradients are computed its value is 0, else it is log p. For a score prior with a gate, the value uses the gate
    (`Diffusion.judged`) and the score does not.

    sources: (B, N, T), a draw of q. log_q: (B,). mix: M (B, 1, T).
    """
    length, deviation = mix.shape[2], width * sigma
    residual = (mix.double() - sources.sum(1, keepdim=True)).square().sum((1, 2))
    carried = sources.shape[1] * length * added**2
    log_likelihood = -(residual + carried) / (2 * deviation**2) - length * math.log(deviation * math.sqrt(2 * math.pi))
    seen = sources if noise is None else sources + added * noise
    log_prior = torch.zeros_like(log_likelihood)
    for prior, one in zip(priors, seen.split(1, 1), strict=True):
        x = one.detach().to(mix.dtype)
        if one.requires_grad:
            _, score = prior.log_prob_and_score(x, sigma, need_log_prob=False)
            along = (score.double().detach() * one).sum((1, 2))
            log_prior = log_prior + along - along.detach()
        else:
            log_prior = log_prior + prior.log_prob(x, sigma)
    return {"log_likelihood": log_likelihood, "log_prior": log_prior, "entropy": -log_q}


def bound(
    encoder: Encoder, laws: Parameters, mix: Tensor, priors: list[Scaled], sigma: float, width: float,
    generator: torch.Generator, lowest: float | None = None,
) -> dict[str, Tensor]:  # fmt: skip
    """`evidence_bound` for one draw of the encoder's laws of mixes M (B, 1, T).

    lowest: the deviation of the priors' noise that the draw itself carries; noise sqrt(sigma^2 - lowest^2) is added.
    """
    sources = encoder.draw(laws, generator)
    added = math.sqrt(max(0.0, sigma**2 - (sigma if lowest is None else lowest) ** 2))
    noise = torch.randn(sources.shape, generator=generator).to(sources) if added else None
    log_q = encoder.log_prob(sources, laws).sum(1)
    return evidence_bound(sources, log_q, mix, priors, sigma, width=width, added=added, noise=noise)


def mixed(sources: Tensor, noise: float) -> Tensor:
    """The mixes of sources, with noise of that deviation, the same for the same sources: (B, N, T) -> (B, 1, T)."""
    mix = sources.sum(1, keepdim=True)
    if noise == 0:
        return mix
    generator = torch_generator("noise of a mix", sources[0, 0, 0].item(), sources[-1, 0, -1].item())
    return mix + noise * torch.randn(mix.shape, generator=generator).to(mix)


class Objective(Trainable):
    """An encoder in training, with its objective.

    objective: `sleep`, -log q(s | M) for waves of the priors and their mix (the sleep phase of wake-sleep, Hinton et
    al., 1995). These waves come from `dreamed`, and are no fair draws from a prior. Otherwise it is the evidence lower
    bound of mixes, at the training's noise level, which is `lowest` in the end. priors: of each source times its gain,
    frozen. width: of the mixing term, over sigma.
    """

    loss_unit = "nats/sample"
    "The unit of the loss. In training, `elbo` lacks log p, see `loss`."

    def __init__(self, encoder: Encoder, objective: str, priors: list[Scaled], lowest: float, width: float):
        super().__init__()
        self.encoder, self.objective = encoder, objective
        self.priors, self.lowest, self.width = priors, lowest, width  # a list, so they are no part of the weights
        self.parts: dict[str, float] = {}

    def initialise(self, x: Tensor, clean: Tensor, sigma: Sigma) -> None:
        """Set the deviation of the mixes of sources (B, N, T)."""
        mix = mixed(clean, self.encoder.noise)
        self.encoder.inner.initialise(mix, mix, sigma)

    def loss(self, x: Tensor, clean: Tensor, sigma: float) -> Tensor:
        """The loss for sources `clean` (B, N, T); `elbo` sees only their mix.

        Where gradients are computed, `elbo` lacks the value of log p, which is costly; see `evidence_bound`. Without
        gradients, `parts` is set: the bound's parts at `lowest`, means in nats a sample of one source.
        """
        mix, unit = mixed(clean, self.encoder.noise), clean[0].numel()
        laws, training = self.encoder(mix), torch.is_grad_enabled()
        generator = torch_generator("posterior", mix[0, 0, 0].item())
        if not training or self.objective != "sleep":
            level = sigma if training else self.lowest
            parts = bound(self.encoder, laws, mix, self.priors, level, self.width, generator, self.lowest)
            self.parts = {name: value.mean().item() / unit for name, value in parts.items()}
        if self.objective == "sleep":
            return -self.encoder.log_prob(clean, laws).sum(1).mean() / unit
        return -(parts["log_likelihood"] + parts["log_prior"] + parts["entropy"]).mean() / unit


class Drawn:
    """Waves drawn from the priors, mixed at random, as a data set of one 'source' to train on (B, N, T).

    waves: of each source (n, 1, T). gains: (N,). real: a `supervised.Mixes`, whose held-out mixes measure the loss.
    """

    def __init__(self, waves: list[Tensor], gains: list[float], real):
        self.waves, self.gains, self.real = waves, gains, real

    def count(self, split: str) -> int:
        """Number of items in that split."""
        return self.real.count(split)

    def frames(self, split: str, source: str, items: Tensor, frame: int) -> Tensor:
        """Items of a split of the real mixes."""
        return self.real.frames(split, source, items, frame)

    def draw(self, source: str, batch: int, frame: int, generator: torch.Generator) -> Tensor:
        """A training batch: drawn waves of each source, combined at random."""
        chosen = (wave[torch.randint(len(wave), (batch,), generator=generator)] for wave in self.waves)
        return torch.cat([gain * wave for gain, wave in zip(self.gains, chosen, strict=True)], 1)


def _strangeness(prior: Prior, waves: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
    """How far the prior's denoiser moves each wave with noise, relative to the wave's power: (B, 1, T) -> (B,)."""
    x = waves + sigma * torch.randn(waves.shape, generator=generator).to(waves)
    with torch.no_grad():
        moved = prior.denoise(x, sigma) - waves
    return moved.square().mean((1, 2)) / waves.square().mean((1, 2))


def dreamed(prior: Prior, number: int, length: int, sigma: float, seed: tuple, size: int, source: str) -> Tensor:
    """Waves (number, 1, length) of a source's prior, on the CPU, drawn `size` at once.

    Waves beyond FULL_SCALE are discarded. Of the others, the share KEPT is kept that the prior itself moves least.

    Raises
    ------
    UserError: nearly all waves are beyond FULL_SCALE.
    """
    kept, strange, drawn = torch.empty(0, 1, length), torch.empty(0), 0
    while len(kept) < number / KEPT:
        if drawn >= 10 * number:
            raise UserError(
                f"of {drawn} waves that the prior of {source} drew {len(kept)} stay within {FULL_SCALE}: train it "
                "longer"
            )
        generator = torch_generator(*seed, drawn)
        waves = prior.waves(size, length, sigma, generator)
        waves = waves[waves.abs().amax((1, 2)) <= FULL_SCALE]
        strange = torch.cat([strange.to(waves.cpu()), _strangeness(prior, waves, sigma, generator).cpu()])
        kept = torch.cat([kept.to(waves.cpu()), waves.cpu()])
        drawn += size
    return kept[strange.argsort()[:number]]


def errors(encoder: Encoder, sources: Tensor) -> list[float]:
    """The root mean square of E_q[s] - s for each source, with true s (B, N, T)."""
    with torch.no_grad():
        estimates = encoder.estimates(mixed(sources, encoder.noise))
    return (estimates - sources).square().mean((0, 2)).sqrt().tolist()


def carrying(sources: Tensor, mix: Tensor, sigma: float, noise: float, generator: torch.Generator) -> Tensor:
    """u = s + sigma n' for true sources (B, N, T): q is the law of u if it was trained by the bound.

    mix: M (B, 1, T). If `noise` > 0, this noise is a part of the mix (then N is 1).
    """
    share = (sigma / noise) ** 2 if noise else 0.0
    drawn = torch.randn(sources.shape, generator=generator).to(sources)
    return sources + share * (mix - sources) + sigma * math.sqrt(1 - share) * drawn


def denoised(encoder: Encoder, x: Tensor) -> Tensor:
    """E[s | x] by a trained encoder, for one source in noise: x = s + noise n. Shape: (B, 1, T) -> (B, 1, T).

    Trained by the evidence bound, q is the law of u = s + sigma n' given x, where sigma n' is the part of the noise
    that the prior knows. There

        E[u | x] = E[s | x] + (sigma / noise)^2 (x - E[s | x]).
    """
    mean, described = encoder.estimates(x), encoder.description
    share = 0.0 if described["objective"] == "sleep" else (described["sigma"] / encoder.noise) ** 2
    return (mean - share * x) / (1 - share)


def build(description: dict) -> Encoder:
    """A new encoder. description: has law, family, model and mix."""
    mix = description["mix"]
    return Encoder(description["law"], description["family"], description["model"], mix["gains"], mix["noise"])


def load(path: str, *, priors: str) -> Encoder:
    """A trained encoder, as `checkpoints.save_prior` wrote it. Its attribute `description` says what it was trained on.

    priors: the digest of the priors' files that it must have been trained against.

    Raises
    ------
    CheckpointError: it is broken, of another version of the network, or of other priors.
    """
    tensors, description = load_tensors(path)
    if description.get("priors") != priors:
        raise CheckpointError(
            f"{path}: was trained against other priors than those of this run; delete it and run again"
        )
    return filled(path, tensors, description, lambda: build(description))
