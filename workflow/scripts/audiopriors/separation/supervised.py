"""A supervised separator: the network of a score prior, with an output a source, trained on mixes. The reference."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .. import registry
from ..checkpoints import filled, load_tensors


class Separator(nn.Module):
    """Estimates (B, N, T) of the sources of mixes M (B, 1, T), which add up to them; trained as priors are.

    family, model: the prior whose network it has, told one noise level always. outputs: N.
    """

    loss_unit = "nats (log error)"

    def __init__(self, family: str, model: dict, outputs: int):
        super().__init__()
        self.inner = registry.load("priors", family).build(registry.settings("priors", family, model), outputs)

    def initialise(self, x: Tensor, clean: Tensor, sigma: float) -> None:
        """Take the deviation of the mixes of sources x (B, N, T)."""
        mix = x.sum(1, keepdim=True)
        self.inner.initialise(mix, mix, sigma)

    def forward(self, mix: Tensor) -> Tensor:
        """Shape: (B, 1, T) -> (B, N, T)."""
        estimates = self.inner.estimates(mix)
        return estimates + (mix - estimates.sum(1, keepdim=True)) / estimates.shape[1]

    def loss(self, x: Tensor, clean: Tensor, sigma: float) -> Tensor:
        """Mean over sources of the log of the error's rms over the source's; sources (B, N, T), without noise."""
        error = (self(clean.sum(1, keepdim=True)) - clean).square().mean(2)
        return 0.5 * torch.log((error + 1e-8) / (clean.square().mean(2) + 1e-4)).mean()


class Mixes:
    """Sources of mixes as a data set of one 'source': each source drawn on its own, times its gain. (B, N, T)"""

    def __init__(self, data, mix: dict):
        self.data, self.parts = data, list(zip(mix["sources"], mix["gains"], strict=True))

    def count(self, split: str) -> int:
        """Number of items in that split."""
        return self.data.count(split)

    def draw(self, source: str, batch: int, frame: int, generator: torch.Generator) -> Tensor:
        """A training batch."""
        return torch.cat([gain * self.data.draw(part, batch, frame, generator) for part, gain in self.parts], 1)

    def frames(self, split: str, source: str, items: Tensor, frame: int) -> Tensor:
        """Items of a split."""
        return torch.cat([gain * self.data.frames(split, part, items, frame) for part, gain in self.parts], 1)


def build(description: dict) -> Separator:
    """A fresh separator; description has family, model and mix."""
    return Separator(description["family"], description["model"], len(description["mix"]["sources"]))


def load(path: str) -> Separator:
    """A trained separator, as `checkpoints.save_prior` wrote it.

    Raises
    ------
    CheckpointError: broken, or of another version of the network.
    """
    tensors, description = load_tensors(path)
    return filled(path, tensors, description, lambda: build(description))
