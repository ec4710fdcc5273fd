"""A supervised separator as a reference: a score prior's network with an output for each source, trained on mixes."""

from __future__ import annotations

import torch
from torch import Tensor

from .. import registry
from ..checkpoints import filled, load_tensors
from ..priors.base import Trainable


class Separator(Trainable):
    """A network that estimates the sources (B, N, T) of mixes M (B, 1, T). Estimates add up to the mix.

    It is trained as priors are, on batches of `Mixtures`. family, model: the prior whose network is used, always at one
    noise level. outputs: N.
    """

    loss_unit = "nats (log error)"

    def __init__(self, family: str, model: dict, outputs: int):
        super().__init__()
        self.inner = registry.load("priors", family).build(registry.settings("priors", family, model), outputs)

    def initialise(self, x: Tensor, clean: Tensor, sigma: float) -> None:
        """Set the deviation of the mixes, the last of x (B, N + 1, T)."""
        mix = x[:, -1:]
        self.inner.initialise(mix, mix, sigma)

    def forward(self, mix: Tensor) -> Tensor:
        """The estimates of the sources. Shape: (B, 1, T) -> (B, N, T)."""
        estimates = self.inner.estimates(mix)
        return estimates + (mix - estimates.sum(1, keepdim=True)) / estimates.shape[1]

    def loss(self, x: Tensor, clean: Tensor, sigma: float) -> Tensor:
        """Mean over sources of log (rms of the error / rms of the source). clean: sources, then mix, (B, N + 1, T)."""
        sources, mix = clean[:, :-1], clean[:, -1:]
        error = (self(mix) - sources).square().mean(2)
        return 0.5 * torch.log((error + 1e-8) / (sources.square().mean(2) + 1e-4)).mean()


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


class Mixtures(Mixes):
    """Sources and, after them, their mix M, to train a separator on. (B, N + 1, T)

    together: if True, the sources of a mix are those of one item of the data, and M is that item's own mixture. In
    recordings this is close to the sum of the sources, but not equal. If False, each source is drawn on its own, as in
    `Mixes`, and M is the sum.
    """

    def __init__(self, data, mix: dict, together: bool):
        super().__init__(data, mix)
        self.mix, self.together = mix, together

    def draw(self, source: str, batch: int, frame: int, generator: torch.Generator) -> Tensor:
        """A training batch (B, N + 1, T)."""
        if self.together:
            items = torch.randint(self.count("train"), (batch,), generator=generator)
            return self._of_items("train", items, frame)
        return _with_sum(super().draw(source, batch, frame, generator))

    def frames(self, split: str, source: str, items: Tensor, frame: int) -> Tensor:
        """Items (n, N + 1, T) of a split."""
        if self.together:
            return self._of_items(split, items, frame)
        return _with_sum(super().frames(split, source, items, frame))

    def _of_items(self, split: str, items: Tensor, frame: int) -> Tensor:
        sources, total = self.data.mixed(self.mix, items, frame, split)
        return torch.cat([*sources, total], 1)


def _with_sum(sources: Tensor) -> Tensor:
    """Shape: (B, N, T) -> (B, N + 1, T)."""
    return torch.cat([sources, sources.sum(1, keepdim=True)], 1)


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
