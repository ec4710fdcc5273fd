"""A supervised separator as a reference: a score prior's network with an output for each source, trained on mixes."""

from __future__ import annotations

import torch
from torch import Tensor

from .. import registry
from ..checkpoints import filled, load_tensors
from ..priors.base import Trainable


class Separator(Trainable):
    """A network that estimates the sources (B, N, T) of mixes M (B, 1, T). Estimates add up to the mix.

    It is trained as priors are. family, model: the prior whose network is used, always at one noise level. outputs: N.
    """

    loss_unit = "nats (log error)"

    def __init__(self, family: str, model: dict, outputs: int):
        super().__init__()
        self.inner = registry.load("priors", family).build(registry.settings("priors", family, model), outputs)

    def initialise(self, x: Tensor, clean: Tensor, sigma: float) -> None:
        """Set the deviation of the mixes of sources x (B, N, T)."""
        mix = x.sum(1, keepdim=True)
        self.inner.initialise(mix, mix, sigma)

    def forward(self, mix: Tensor) -> Tensor:
        """The estimates of the sources. Shape: (B, 1, T) -> (B, N, T)."""
        estimates = self.inner.estimates(mix)
        return estimates + (mix - estimates.sum(1, keepdim=True)) / estimates.shape[1]

    def loss(self, x: Tensor, clean: Tensor, sigma: float) -> Tensor:
        """Mean over sources of log (rms of the error / rms of the source). Sources `clean`: (B, N, T)."""
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
        """A training batch (B, N, T)."""
        return torch.cat([gain * self.data.draw(part, batch, frame, generator) for part, gain in self.parts], 1)

    def frames(self, split: str, source: str, items: Tensor, frame: int) -> Tensor:
        """Items (n, N, T) of a split."""
        return torch.cat([gain * self.data.frames(split, part, items, frame) for part, gain in self.parts], 1)


def build(description: dict) -> Separator:
    """A new separator. description: has family, model and mix."""
    return Separator(description["family"], description["model"], len(description["mix"]["sources"]))


def load(path: str) -> Separator:
    """A trained separator, as `checkpoints.save_prior` wrote it.

    Raises
    ------
    CheckpointError: it is broken, or of another version of the network.
    """
    tensors, description = load_tensors(path)
    return filled(path, tensors, description, lambda: build(description))
