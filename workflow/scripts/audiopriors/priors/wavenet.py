"""WaveNet: an autoregressive model of the mu-law code of the waveform (van den Oord et al., 2016; section 2, Table 2).

The output at t is a distribution P_c over 256 codes, given the samples before t. Three measures follow from it, and are
kept apart. v_c is the centre and Delta_c the width of code c's bin; c_t is the code of x_t, after clamping to [-1, 1].

- `code_log_prob`, a probability: sum_t log P(c_t | x_<t). At sigma > 0 the model predicts the clean code, so the
  probability of the noisy one is sum_c P_c Pr(code of v_c + sigma eps = c_t).
- `log_prob`, a density. At sigma = 0: the same, minus sum_t log Delta(c_t); minus infinity outside [-1, 1].
  At sigma > 0: sum_t log sum_c P_c N(x_t; v_c, sigma^2), exact up to the grid of the v_c.
- `published_score`: T log mean_t sigmoid(logit of c_t), which the authors' evaluation reports.
"""

from __future__ import annotations

import functools
import logging
import math
import sys
import time
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torchaudio.functional import mu_law_decoding, mu_law_encoding
from tqdm import tqdm

from ..errors import UserError
from ..layers import GatedStack
from ..types import Several
from .base import Prior, Sigma

log = logging.getLogger(__name__)

CODES = 256
CENTRES = mu_law_decoding(torch.arange(CODES, dtype=torch.float64), CODES)
# Bin c is [EDGES[c], EDGES[c + 1]]; the outer two are half as wide.
EDGES = mu_law_decoding(torch.arange(CODES + 1, dtype=torch.float64) - 0.5, CODES).clamp(-1, 1)


@dataclass(frozen=True)
class Config:
    """Settings of a WaveNet."""

    variant: Literal["causal", "published"]
    "published: first and last convolution are not causal, and a sigmoid stands before the cross-entropy (their code)."
    input: Literal["scalar", "one_hot"]
    "What it sees of a past sample: its value and its companded value, or its code (then there is no gradient in x)."
    noise_target: Literal["clean", "noisy"]
    "What it predicts from a noisy past: the code of the clean sample, or of the noisy one (paper; no density)."
    blocks: int
    "Stacks of layers, one after the other."
    layers: int
    "Layers of a stack; layer i has dilation 2^i."
    kernel_size: Several
    "Taps of a dilated convolution."
    width: int
    "Channels of the layers."
    skip_width: int
    "Channels of the skip connections' sum."
    head_width: int
    "Channels between the last two convolutions."


def _compand(x: Tensor) -> Tensor:
    """The mu-law curve, which maps [-1, 1] to itself; here for any x."""
    return torch.sign(x) * torch.log1p((CODES - 1) * x.abs()) / math.log(CODES)


def _normalisation(sigma: float) -> float:
    """The log of the integral of exp(-x^2 / 2 sigma^2)."""
    return math.log(sigma) + 0.5 * math.log(2 * math.pi)


def _log_sum(terms: Tensor) -> Tensor:
    """log sum exp over the codes (last dimension), in place. Negligible terms are cut off, as their exp is slow."""
    largest = terms.amax(2, keepdim=True)
    return terms.sub_(largest).clamp_min_(-40).exp_().sum(2).log() + largest[..., 0]


@functools.lru_cache(maxsize=8)
def _log_code_given_clean(sigma: float) -> Tensor:
    """log Pr(code of v_c + sigma eps = k), (256 noisy, 256 clean). Clamping opens the outer bins."""
    outer = EDGES.clone()
    outer[0], outer[-1] = -math.inf, math.inf
    ends = (outer[:, None] - CENTRES) / sigma
    low, high = ends[:-1], ends[1:]
    # By the mirrored tail where both ends lie above v_c.
    low, high = torch.where(low > 0, -high, low), torch.where(low > 0, -low, high)
    below, upto = torch.special.log_ndtr(low), torch.special.log_ndtr(high)
    return upto + torch.log1p(-torch.exp(below - upto))


def encode(x: Tensor) -> Tensor:
    """The mu-law code, 0 to 255, of x clamped to [-1, 1]. Any shape."""
    return mu_law_encoding(x.clamp(-1, 1), CODES)


class _Mixture(torch.autograd.Function):
    """log sum_c P_c exp(-(x_t - v_c)^2 / 2 sigma^2), P_c = softmax of the logits. Shape: (B, T, 256), (B, T) -> (B, T).

    The gradient in the logits is the difference of two softmax. It is computed with the value, in pieces that stay in
    the cache. This takes a ninth of the time of autograd's passes over 256 times as many numbers as the batch has.
    """

    @staticmethod
    def forward(ctx, logits, x, sigma):
        logits, x = logits.contiguous(), x.contiguous()  # pieces are views
        value, grad_logits, grad_x = torch.empty_like(x), torch.empty_like(logits), torch.empty_like(x)
        rows = 1024 if x.device.type == "cpu" else x.numel()
        centres = CENTRES.to(x)
        pieces = zip(*(one.flatten(0, 1).split(rows) for one in (logits, x, value, grad_logits, grad_x)), strict=True)
        for logit, sample, out, grad_logit, grad_sample in pieces:
            away = centres - sample[:, None]
            joint, total, largest = _exponentials(torch.addcmul(logit, away, away, value=-0.5 / sigma**2))
            torch.div(joint, total, out=grad_logit)
            torch.sum(away.mul_(grad_logit), 1, out=grad_sample)
            codes, total_codes, largest_codes = _exponentials(logit)
            grad_logit.sub_(codes.div_(total_codes))
            torch.sub((largest + total.log())[:, 0], (largest_codes + total_codes.log())[:, 0], out=out)
        ctx.save_for_backward(grad_logits, grad_x.div_(sigma**2))
        return value

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_value):
        grad_logits, grad_x = ctx.saved_tensors
        return grad_logits * grad_value[..., None], grad_x * grad_value, None


def _exponentials(terms: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """exp(terms - largest), their sum, and the largest. Shape: (n, 256) -> (n, 256), (n, 1), (n, 1)."""
    largest = terms.amax(1, keepdim=True)
    exponentials = (terms - largest).exp_()
    return exponentials, exponentials.sum(1, keepdim=True), largest


def _matrix(layer: nn.Conv1d) -> tuple[Tensor, Tensor]:
    """The weight (inputs, outputs) and the bias of a convolution's first tap."""
    assert layer.bias is not None
    return layer.weight[:, :, 0].t(), layer.bias


class WaveNet(Prior):
    """The distribution P(c_t | x_<t) and its measures. The network ignores sigma: it serves its training's level.

    >>> prior = build(Config("causal", "scalar", "clean", 1, 4, 2, 8, 8, 8))
    >>> prior.log_prob(torch.zeros(5, 1, 64), sigma=0.1).shape
    torch.Size([5])
    """

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.causal = config.variant == "causal"
        taps = 1 if self.causal else 3
        channels = 3 if config.input == "scalar" else CODES
        self.first = nn.Conv1d(channels, config.width, taps, padding=taps // 2)
        self.stack = GatedStack(
            config.width, config.skip_width, config.layers, config.kernel_size, causal=True, blocks=config.blocks
        )
        self.middle = nn.Conv1d(config.skip_width, config.head_width, 1)
        self.last = nn.Conv1d(config.head_width, CODES, taps, padding=taps // 2)
        with torch.no_grad():
            self.last.weight.mul_(0.3)  # a start near the uniform distribution

    def is_density(self, sigma: float) -> bool:
        """Whether `log_prob` exists: the model is causal, and predicts the sample before noise is added."""
        return self.causal and (self.config.noise_target == "clean" or sigma == 0)

    def _check(self, sigma: float) -> None:
        if not self.is_density(sigma):
            raise UserError(
                "this WaveNet is no density: it needs variant 'causal' and, at sigma > 0, noise_target 'clean'"
            )

    def _features(self, past: Tensor, first: Tensor) -> Tensor:
        """The network's input from past samples (B, 1, T); `first` (1, 1, T) is 1 at the start of the frame."""
        if self.config.input == "one_hot":
            codes = functional.one_hot(encode(past[:, 0]), CODES).transpose(1, 2).to(past)
            return codes * (1 - first)
        return torch.cat((past, _compand(past), first.expand(past.shape[0], -1, -1)), 1)

    def logits(self, x: Tensor) -> Tensor:
        """Unnormalised log P(c_t | x_<t) of every code. Shape: (B, 1, T) -> (B, T, 256)."""
        past = functional.pad(x, (1, -1))
        first = functional.one_hot(torch.zeros(1, dtype=torch.long, device=x.device), x.shape[2]).to(x)[None]
        hidden = self.stack(self.first(self._features(past, first)))
        hidden = functional.relu(self.middle(functional.relu(hidden)))
        if not self.causal:
            return torch.sigmoid(self.last(hidden)).transpose(1, 2)
        # Codes last, so that what follows sums over neighbours in memory: half of the time of an evaluation.
        return functional.linear(hidden.transpose(1, 2), self.last.weight[:, :, 0], self.last.bias)

    def loss(self, x: Tensor, clean: Tensor, sigma: Sigma) -> Tensor:
        """Cross-entropy in nats/sample. x (B, 1, T) has the noise; `clean` has not."""
        target = clean if self.config.noise_target == "clean" else x
        return functional.cross_entropy(self.logits(x).flatten(0, 1), encode(target).flatten())

    def log_prob(self, x: Tensor, sigma: float) -> Tensor:
        """log p_sigma(x) in nats, summed over time in float64. Shape: (B, 1, T) -> (B,).

        Raises
        ------
        UserError: the model is no density (published variant, or trained to predict the noisy sample).
        """
        self._check(sigma)
        logits = self.logits(x)
        if sigma > 0 and torch.is_grad_enabled() and (x.requires_grad or logits.requires_grad):
            return self._normalised(_Mixture.apply(logits, x[:, 0], sigma), sigma)
        return self._density(x, torch.log_softmax(logits, 2), sigma)

    def _normalised(self, log_mixture: Tensor, sigma: float) -> Tensor:
        """The density (B,) at sigma > 0, from log sum_c P_c exp(-(x_t - v_c)^2 / 2 sigma^2) (B, T)."""
        return log_mixture.double().sum(1) - log_mixture.shape[1] * _normalisation(sigma)

    def _terms(self, x: Tensor, log_p: Tensor, sigma: float) -> Tensor:
        """log p(x_t | x_<t) (B, T), from log P(c_t | x_<t) (B, T, 256).

        At sigma > 0 it lacks the normalisation; at sigma = 0 it does not yet exclude values beyond [-1, 1].
        """
        if sigma == 0:
            codes = encode(x[:, 0])
            return log_p.gather(2, codes[..., None])[..., 0].double() - EDGES.diff().log().to(x.device)[codes]
        kernel = (x.transpose(1, 2) - CENTRES.to(x)).div_(sigma).square_().mul_(-0.5)
        return _log_sum(kernel.add_(log_p)).double()

    def _density(self, x: Tensor, log_p: Tensor, sigma: float) -> Tensor:
        """log_prob of x, from log P(c_t | x_<t) (B, T, 256)."""
        terms = self._terms(x, log_p, sigma)
        if sigma == 0:
            return torch.where((x.abs() <= 1).all(2)[:, 0], terms.sum(1), -math.inf)
        return self._normalised(terms, sigma)

    @torch.no_grad()
    def log_prob_map(self, x: Tensor, sigma: float) -> Tensor:
        """log p(x_t | x_<t), see the base class; at sigma = 0 minus infinity where x is outside [-1, 1]."""
        self._check(sigma)
        terms = self._terms(x, torch.log_softmax(self.logits(x), 2), sigma)
        if sigma == 0:
            return torch.where(x[:, 0].abs() <= 1, terms, -math.inf)
        return terms - _normalisation(sigma)

    def _code_log_prob(self, x: Tensor, log_p: Tensor, sigma: float) -> Tensor:
        codes = encode(x[:, 0])
        if sigma == 0 or not self.is_density(sigma):
            return log_p.gather(2, codes[..., None])[..., 0].double().sum(1)
        kernel = _log_code_given_clean(sigma).to(log_p)
        return _log_sum(kernel[codes].add_(log_p)).double().sum(1)

    @torch.no_grad()
    def measures(self, x: Tensor, sigma: float) -> dict[str, Tensor]:
        """The measures that this model has, each (B,) in nats, from one pass over x (B, 1, T); no gradients."""
        # In pieces that stay in the cache: the distributions of a batch are 256 times as large as the batch.
        items = max(1, 4096 // x.shape[2]) if x.device.type == "cpu" else x.shape[0]
        parts = [self._measures(piece, sigma) for piece in x.split(items)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def _measures(self, x: Tensor, sigma: float) -> dict[str, Tensor]:
        logits = self.logits(x)
        log_p = torch.log_softmax(logits, 2)
        measures = {"log_prob": self._density(x, log_p, sigma)} if self.is_density(sigma) else {}
        measures["code_log_prob"] = self._code_log_prob(x, log_p, sigma)
        if not self.causal:  # its logits are sigmoids
            chosen = logits.gather(2, encode(x[:, 0])[..., None]).double()[..., 0]
            measures["published_score"] = x.shape[2] * chosen.mean(1).log()
        return measures

    @torch.no_grad()
    def sample(self, n: int, length: int, sigma: float, generator: torch.Generator) -> Tensor:
        """n waveforms (n, 1, length), drawn one sample after the other.

        Every layer keeps its past inputs, so each sample takes the same work. At sigma = 0 a sample is uniform in its
        code's bin, at sigma > 0 it is v_c + sigma eps: draws from `log_prob`.

        Raises
        ------
        UserError: the model is no density, so it cannot be sampled.
        """
        if not self.is_density(sigma):
            raise UserError("this WaveNet cannot be sampled: it is not causal, or does not predict the clean sample")
        like = self.last.weight
        uniform = torch.rand(length, n, generator=generator, dtype=torch.float64).to(like.device)
        within = self._within(length, n, sigma, generator)
        step = self._stepper(n)
        past = like.new_zeros(n, 1)
        drawn = []
        started = time.monotonic()
        bar = tqdm(total=length, unit="sample", disable=not sys.stderr.isatty())
        for now in range(length):
            past = self.emit(step(past, now), uniform[now], within[now], sigma).to(like)[:, None]
            drawn.append(past)
            bar.update()
            if bar.disable and (now + 1) % 4096 == 0:
                log.info("%d of %d samples, %.0f/s", now + 1, length, (now + 1) / (time.monotonic() - started))
        bar.close()
        return torch.stack(drawn, 2)

    def _within(self, length: int, n: int, sigma: float, generator: torch.Generator) -> Tensor:
        """The random part of a sample besides its code: its place in the bin, or its noise. (length, n)."""
        draw = torch.rand if sigma == 0 else torch.randn
        return draw(length, n, generator=generator, dtype=torch.float64).to(self.last.weight.device)

    def emit(self, logits: Tensor, uniform: Tensor, within: Tensor, sigma: float) -> Tensor:
        """Samples (n,) float64 from their logits (n, 256): the code where the cumulative sum passes `uniform` (n,)."""
        cumulative = torch.softmax(logits.double(), 1).cumsum(1)
        code = (cumulative < uniform[:, None] * cumulative[:, -1:]).sum(1)
        if sigma == 0:
            low, high = EDGES.to(code.device)[code], EDGES.to(code.device)[code + 1]
            return low + (high - low) * within
        return CENTRES.to(code.device)[code] + sigma * within

    def _stepper(self, n: int):
        """A function (past sample (n, 1), time) -> logits (n, 256), with the memory of n sequences."""
        stack = self.stack.stepper(n)
        (first, first_bias), (middle, middle_bias), (last, last_bias) = (
            _matrix(layer) for layer in (self.first, self.middle, self.last)
        )
        starts = [first.new_ones(1, 1, 1), first.new_zeros(1, 1, 1)]

        def step(past: Tensor, now: int) -> Tensor:
            features = self._features(past[:, :, None], starts[now > 0])[:, :, 0]
            hidden = stack(torch.addmm(first_bias, features, first), now)
            hidden = torch.addmm(middle_bias, hidden.relu_(), middle)
            return torch.addmm(last_bias, hidden.relu_(), last)

        return step


def build(config: Config) -> WaveNet:
    """A new, untrained prior. Its weights come from torch's global generator."""
    return WaveNet(config)
