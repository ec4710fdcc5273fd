"""The interface of a data set: frames of several sources, aligned, in three splits.

A kind of data is one file of this folder. It has a frozen dataclass `Config`, with a docstring under each field, and a
function

    make(config, sources, seed, folder, frame) -> pandas.DataFrame

that makes the table of items. It writes large data below `folder`; `frame` is the longest frame that will be asked for,
in samples. The file also has the class `Frames`, which gives frames of that table. The kind's name is the file's name.
Nothing else lists it.
"""

from __future__ import annotations

import abc

import torch
from torch import Tensor

from ..errors import UserError

SPLITS = ("train", "validation", "test")


class Frames(abc.ABC):
    """The frames of a data set, opened as `Frames(path of the table, config)`.

    A kind gives `count`, `frames`, `draw` and `rate`. Everything else follows from these; a kind overrides a method
    where it knows better. All sources of an item belong together, and so do their frames.
    """

    rate: int
    "Samples per second (Hz)."

    bss_eval = False
    "Whether separations are also measured by BSSEval. Not for tones: its 512 taps can make any tone from another."

    references: tuple[str, ...] = ("static_wiener", "ideal_ratio_mask", "ideal_power_mask")
    "Estimates that separations are compared with: names in separation/references.py."

    mix_settings: tuple[str, ...] = ("gains", "noise")
    "What the config's mixes of these data may have beside their sources: `gains`, `unison`, `multiples`, `noise`."

    # Each kind defines these.

    @abc.abstractmethod
    def count(self, split: str) -> int:
        """Number of items in `train`, `validation` or `test`."""

    @abc.abstractmethod
    def frames(self, split: str, source: str, items: Tensor, frame: int) -> Tensor:
        """Frames (n, 1, frame) float32 of the items numbered (n,), the same at every call; in full scale [-1, 1]."""

    @abc.abstractmethod
    def draw(self, source: str, batch: int, frame: int, generator: torch.Generator) -> Tensor:
        """A training batch (batch, 1, frame) float32. All randomness comes from the generator, a CPU one."""

    # These follow.

    def tracks(self, split: str) -> list[str]:
        """The track of each item: items of one track are not independent. By default each item is its own track."""
        return [str(item) for item in range(self.count(split))]

    def mix_divisor(self, sources: list[str]) -> int:
        """The number by which the sum of the sources is divided to give the mix."""
        return 1

    def mixture(self, split: str, sources: list[str], items: Tensor, frame: int) -> Tensor:
        """The mix m (n, 1, frame): the sum of those sources, over `mix_divisor`."""
        frames = torch.stack([self.frames(split, source, items, frame) for source in sources])
        return frames.sum(0) / self.mix_divisor(sources)

    def mixed(self, mix: dict, items: Tensor, frame: int, split: str = "test") -> tuple[Tensor, Tensor]:
        """The true sources (N, n, 1, frame) of a split's items, times the mix's gains, and their sum M (n, 1, frame).

        mix: its name, sources, their gains, and unison (see the config's schema).

        Raises
        ------
        UserError: the mix has a unison, which needs data with known frequencies.
        """
        if mix["unison"]:
            raise UserError(f"mix {mix['name']}: these data have no frequencies that could be put in unison")
        truth = torch.stack([
            gain * self.frames(split, source, items, frame)
            for source, gain in zip(mix["sources"], mix["gains"], strict=True)
        ])  # fmt: skip
        return truth, truth.sum(0)
