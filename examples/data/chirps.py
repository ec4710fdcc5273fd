"""Chirps: sines whose frequency rises, falls, or stays, each at its own rate.

An example of a kind of data of your own. Copy it to workflow/scripts/audiopriors/data/, and name it in the config as
the `kind` of a data set, with the sources `rising`, `falling` and `steady`, or some of them. The table of parameters is
the data set; a waveform is a function of its row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from ..files import read_table
from ..seeds import numpy_generator
from ..types import Count
from . import base

if TYPE_CHECKING:  # it takes a second to import, and every training comes here
    import pandas as pd

DIRECTION = {"rising": 1.0, "falling": -1.0, "steady": 0.0}
PARAMETERS = ("frequency", "slope", "amplitude", "phase")


@dataclass(frozen=True)
class Config:
    rate: Count
    "Samples per second (Hz)."
    frequency_range: tuple[float, float]
    "Lowest and highest frequency in the middle of a frame (Hz)."
    slope_range: tuple[float, float]
    "Slowest and fastest change of the frequency (octaves per second)."
    train: Count
    "Items to train on."
    validation: Count
    "Items for held-out losses; never in a table."
    test: Count
    "Items for every table and figure."


def make(
    config: Config, sources: list[str], seed: tuple, folder: Path | None = None, frame: int | None = None
) -> pd.DataFrame:
    """One row an item and source: split, item, source, frequency (Hz), slope (octaves/s), amplitude, phase (rad)."""
    import pandas as pd

    for source in sources:
        if source not in DIRECTION:
            raise UserError(f"chirps have no source {source!r}; they have {', '.join(DIRECTION)}")
    tables = []
    for split in base.SPLITS:
        for source in sources:
            random, count = numpy_generator(*seed, split, source), getattr(config, split)
            tables.append(pd.DataFrame({
                "split": split, "item": np.arange(count), "source": source,
                "frequency": np.exp(random.uniform(*np.log(config.frequency_range), count)),
                "slope": DIRECTION[source] * random.uniform(*config.slope_range, count),
                "amplitude": random.uniform(0.5, 1, count), "phase": random.uniform(0, 2 * math.pi, count),
            }))  # fmt: skip
    return pd.concat(tables, ignore_index=True)


class Frames(base.Frames):
    """Chirps, rendered on demand from the table at `path`."""

    def __init__(self, path: str, config: Config):
        self.config, self.rate = config, config.rate
        table = read_table(path)
        columns = dict(zip(table.column_names, (column.to_numpy() for column in table.columns), strict=True))
        self._parameters = {}
        for split in base.SPLITS:
            for source in dict.fromkeys(columns["source"]):
                rows = (columns["split"] == split) & (columns["source"] == source)
                self._parameters[split, source] = [torch.from_numpy(columns[name][rows]) for name in PARAMETERS]

    def count(self, split: str) -> int:
        """Number of items in that split."""
        return getattr(self.config, split)

    def frames(self, split: str, source: str, items: Tensor, frame: int) -> Tensor:
        """Frames (n, 1, frame) float32 of the items numbered."""
        frequency, slope, amplitude, phase = (column[items, None] for column in self._parameters[split, source])
        time = (torch.arange(frame, dtype=torch.float64) - frame / 2) / self.rate  # seconds from the middle
        # The integral of frequency 2^(slope time) over time, in cycles; expm1(x) / x is 1 at x = 0.
        growth = slope * math.log(2) * time
        cycles = frequency * time * torch.where(growth == 0, 1.0, torch.expm1(growth) / growth)
        return (amplitude * torch.sin(2 * math.pi * cycles + phase))[:, None].float()

    def draw(self, source: str, batch: int, frame: int, generator: torch.Generator) -> Tensor:
        """A training batch (batch, 1, frame) of random items."""
        return self.frames("train", source, torch.randint(self.count("train"), (batch,), generator=generator), frame)
