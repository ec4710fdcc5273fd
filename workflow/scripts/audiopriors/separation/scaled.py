"""The prior of a source times a gain: a source that is louder or softer in the mix than in its prior's data."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..checkpoints import load_prior
from ..priors.base import Prior

LONG, SHORT = 4096, 1024  # samples


@dataclass(frozen=True)
class Scaled:
    """The density of gain s + sigma n, for s ~ prior and noise n."""

    prior: Prior
    gain: float = 1.0
    "The factor of the source, above 0."
    items: int = 8
    "Items that a denoiser takes at once on a CPU, as more do not stay in its cache; fewer long, more short ones."

    def denoise(self, x: Tensor, sigma: float) -> Tensor:
        """E[gain s | x], for x of noise level sigma. Shape: (B, 1, T) -> (B, 1, T)."""
        return self.gain * self._in_parts(self.prior.denoise, x, sigma)

    def restore(self, x: Tensor, sigma: float) -> Tensor:
        """E[gain s | x], for x with the prior's coloured noise of that deviation. Shape: (B, 1, T) -> (B, 1, T)."""
        return self.gain * self._in_parts(self.prior.restore, x, sigma)

    def restore_emphasised(self, x: Tensor, sigma: float) -> Tensor:
        """E[gain w | x] of waves w through the prior's emphasis, see `Prior`. Shape: (B, 1, T) -> (B, 1, T)."""
        return self.gain * self._in_parts(self.prior.restore_emphasised, x, sigma)

    def judged(self, x: Tensor, sigma: float) -> Tensor:
        """The same with the prior's gate (`Prior.judged`). Shape: (B, 1, T) -> (B, 1, T)."""
        return self.gain * self._in_parts(self.prior.judged, x, sigma)

    def draw(self, x: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
        """A draw from p(gain s | x), see `Prior.draw`. Shape: (B, 1, T) -> (B, 1, T)."""
        return self.gain * self._in_parts(lambda part, level: self.prior.draw(part, level, generator), x, sigma)

    def _in_parts(self, ask: Callable, x: Tensor, sigma: float) -> Tensor:
        """A GPU takes all items at once."""
        at_once = max(1, min(self.items * max(1, SHORT // x.shape[2]), LONG * self.items // x.shape[2]))
        parts = (x / self.gain).split(at_once if x.device.type == "cpu" else len(x))
        with torch.no_grad():
            return torch.cat([ask(part, sigma / self.gain) for part in parts])

    def log_prob(self, x: Tensor, sigma: float) -> Tensor:
        """log p_sigma(x) in nats, without gradients. Shape: (B, 1, T) -> (B,) float64."""
        return self._in_parts(self.prior.log_prob, x, sigma).double() - x.shape[2] * math.log(self.gain)

    def log_prob_and_score(self, x: Tensor, sigma: float, *, need_log_prob: bool) -> tuple[Tensor, Tensor]:
        """log p_sigma(x) in nats and its gradient, see `Prior.log_prob_and_score`. (B, 1, T) -> (B,), (B, 1, T)."""
        log_prob, score = self.prior.log_prob_and_score(x / self.gain, sigma / self.gain, need_log_prob=need_log_prob)
        return log_prob - x.shape[2] * math.log(self.gain), score / self.gain


def scaled_priors(paths: list[str], mix: dict, device: torch.device) -> list[Scaled]:
    """The trained prior of each source of the mix, times the source's gain, on the device; in the mix's order.

    Raises
    ------
    CheckpointError: a prior is broken, or is of another source.
    """
    parts = zip(paths, mix["sources"], mix["gains"], strict=True)
    return [Scaled(load_prior(path, expect={"prior_source": source}).to(device), gain) for path, source, gain in parts]
