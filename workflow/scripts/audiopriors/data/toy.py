"""The toy data: sine, square, saw and triangle waves of random frequency, amplitude and phase (section 3.1).

The data set is its table of parameters; a waveform is a pure function of a row. No frames are stored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from ..files import read_table
from ..seeds import numpy_generator
from . import base

if TYPE_CHECKING:  # it takes a second to import, and every training comes here
    import pandas as pd

SOURCES = ("sine", "square", "saw", "triangle")
# A sample this close to an edge of the wave (in cycles) lies on it: the error of the phase in float64 is below 1e-11.
_EDGE = 1e-9


@dataclass(frozen=True)
class Config:
    """Settings of the toy data."""

    variant: Literal["paper", "published"]
    "paper, or published (its authors' code): periods and phases of whole samples, amplitude 1 in evaluation."
    rate: int
    "Samples per second (Hz)."
    duration: int
    "Samples of one item; a shorter training frame starts at a random place in it."
    frequency: Literal["uniform", "log_uniform", "piano_keys"]
    "Law of the frequency: uniform, log-uniform, or a key of the piano, all within frequency_range."
    frequency_range: tuple[float, float]
    "Lowest and highest frequency (Hz)."
    amplitude_range: tuple[float, float]
    "Lowest and highest amplitude, uniform between."
    bandlimited: bool
    "Sum the harmonics below half the rate, instead of sampling the discontinuous wave (which aliases)."
    train: int
    "Items to train on."
    validation: int
    "Items for held-out losses and for the entropy of typicality; never in a table."
    test: int
    "Items for every table and figure."


def make(
    config: Config, sources: list[str], seed: tuple, folder: Path | None = None, frame: int | None = None
) -> pd.DataFrame:
    """Draw the table of parameters: split, item, source, frequency (Hz), amplitude and phase (radians).

    It has one row per item and source. folder, frame: not used, as no data is written beside the table.
    """
    import pandas as pd

    unknown = sorted(set(sources) - set(SOURCES))
    if unknown:
        raise UserError(f"toy data has no source {unknown[0]!r}; it has {', '.join(SOURCES)}")
    low, high = config.frequency_range
    tables = []
    for split in base.SPLITS:
        count = getattr(config, split)
        for source in sources:
            random = numpy_generator(*seed, split, source)  # adding a source or a split changes no other
            if config.frequency == "uniform":
                frequency = random.uniform(low, high, count)
            elif config.frequency == "log_uniform":
                frequency = np.exp(random.uniform(math.log(low), math.log(high), count))
            else:
                # Key n of the piano has 440 Hz x 2^((n - 49)/12); the published code draws tenths of keys.
                step = 0.1 if config.variant == "published" else 1.0
                first, last = (12 * math.log2(f / 440) + 49 for f in (low, high))
                keys = np.arange(math.ceil(first / step - 1e-6), math.floor(last / step + 1e-6) + 1) * step
                frequency = 440 * 2 ** ((random.choice(keys, count) - 49) / 12)
            amplitude = random.uniform(*config.amplitude_range, count)
            phase = random.uniform(0, 2 * math.pi, count)
            if config.variant == "published":
                period = np.maximum(2, np.round(config.rate / frequency))
                frequency = config.rate / period
                phase = 2 * math.pi * np.floor(phase / (2 * math.pi) * period) / period
                if split != "train":
                    amplitude = np.ones(count)
            tables.append(
                pd.DataFrame(
                    {"split": split, "item": np.arange(count), "source": source, "frequency": frequency,
                     "amplitude": amplitude, "phase": phase}
                )
            )  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def render(
    source: str, frequency: Tensor, amplitude: Tensor, phase: Tensor, length: int, rate: int,
    *, offset: Tensor | None = None, bandlimited: bool = False,
) -> Tensor:  # fmt: skip
    """Waves with these parameters, in float64.

    frequency (Hz), amplitude, phase (radians), offset (samples into the item): (n,). Returns (n, 1, length). All four
    kinds of waves are in phase with the sine; the naive saw falls from +1 to -1 at the start of a period.
    """
    time = torch.arange(length, dtype=torch.float64)
    if offset is not None:
        time = time + offset[:, None]
    cycles = frequency.double()[:, None] / rate * time + phase.double()[:, None] / (2 * math.pi)
    wave = _harmonic(source, cycles, frequency, rate) if bandlimited else _naive(source, cycles)
    return (amplitude.double()[:, None] * wave)[:, None]


def _naive(source: str, cycles: Tensor) -> Tensor:
    if source == "sine":
        return torch.sin(2 * math.pi * cycles)
    place = cycles - torch.floor(cycles + _EDGE)  # in [0, 1), but for the edge's own error
    if source == "square":
        return torch.where(place < 0.5 - _EDGE, 1.0, -1.0).to(cycles)
    if source == "saw":
        return 2 * place - 1
    quarter = cycles - 0.25
    return 4 * (quarter - torch.floor(quarter) - 0.5).abs() - 1  # triangle: continuous, so it has no edges


def _harmonic(source: str, cycles: Tensor, frequency: Tensor, rate: int) -> Tensor:
    wave = torch.zeros_like(cycles)
    for harmonic in range(1, int(rate / 2 / frequency.min().item()) + 1):
        if source == "sine":
            weight = 1.0 if harmonic == 1 else 0.0
        elif source == "saw":
            weight = -2 / (math.pi * harmonic)
        elif harmonic % 2 == 0:
            weight = 0.0
        elif source == "square":
            weight = 4 / (math.pi * harmonic)
        else:
            weight = 8 / (math.pi * harmonic) ** 2 * (-1) ** ((harmonic - 1) // 2)
        if weight:
            audible = (harmonic * frequency < rate / 2)[:, None]
            wave += torch.where(audible, weight * torch.sin(2 * math.pi * harmonic * cycles), 0.0)
    return wave


class Frames(base.Frames):
    """Frames of the toy data, rendered on demand from the parameter table at `path`."""

    references = ("parametric_oracle",)
    mix_settings = ("gains", "unison", "multiples", "noise")

    def __init__(self, path: str, config: Config):
        self.config, self.rate = config, config.rate
        table = read_table(path)
        columns = dict(zip(table.column_names, (column.to_numpy() for column in table.columns), strict=True))
        groups = dict.fromkeys(zip(columns["split"], columns["source"], strict=True))
        self._parameters = {
            (split, source): tuple(
                torch.from_numpy(columns[name][(columns["split"] == split) & (columns["source"] == source)])
                for name in ("frequency", "amplitude", "phase")
            )
            for split, source in groups
        }

    def count(self, split: str) -> int:
        """Number of items in that split."""
        return getattr(self.config, split)

    def parameters(self, split: str, source: str) -> tuple[Tensor, ...]:
        """Frequency (Hz), amplitude and phase (radians) of every item, each (n,) float64."""
        return self._parameters[split, source]

    def frames(self, split: str, source: str, items: Tensor, frame: int, offset: Tensor | None = None) -> Tensor:
        """Frames (n, 1, frame) float32 of the items numbered. offset: (n,) in samples, 0 by default."""
        frequency, amplitude, phase = (column[items] for column in self.parameters(split, source))
        return render(
            source,
            frequency,
            amplitude,
            phase,
            frame,
            self.rate,
            offset=offset,
            bandlimited=self.config.bandlimited,
        ).float()

    def mix_divisor(self, sources: list[str]) -> int:
        """The number of sources, as the mix is their mean (section 3.1)."""
        return len(sources)

    def mixed(self, mix: dict, items: Tensor, frame: int, split: str = "test") -> tuple[Tensor, Tensor]:
        """The true sources (N, n, 1, frame) of a split's mixes, times their gains, and their sum M (n, 1, frame)."""
        truth = self._waves(mix, items, frame, split, amplitude=True).float()
        return truth, truth.sum(0)

    def unit_waves(self, mix: dict, items: Tensor, frame: int) -> Tensor:
        """The sources of test mixes at amplitude 1, for an oracle that knows everything but the amplitudes.

        Shape: (N, n, 1, frame) float64.
        """
        return self._waves(mix, items, frame, "test", amplitude=False)

    def _waves(self, mix: dict, items: Tensor, frame: int, split: str, amplitude: bool) -> Tensor:
        """The sources of a split's mixes (N, n, 1, frame) float64, with their own amplitudes, or with amplitude 1.

        With `unison`, all have the frequency of the first source, up to that relative difference; or `multiples` of one
        frequency, for which the first one's place is taken in the range that leaves all of them in the data's.
        """
        waves, low, high = [], *self.config.frequency_range
        multiples = mix.get("multiples", [1] * len(mix["sources"]))
        common = self.parameters(split, mix["sources"][0])[0][items]
        if "multiples" in mix:
            least, most = low / min(multiples), high / max(multiples)
            common = least + (common - low) / (high - low) * (most - least)
        for number, (source, gain) in enumerate(zip(mix["sources"], mix["gains"], strict=True)):
            frequency, loudness, phase = (column[items] for column in self.parameters(split, source))
            if mix["unison"]:
                apart = mix["unison"] * (2 * (frequency - low) / (high - low) - 1) if number else 0.0
                frequency = multiples[number] * (common * (1 + apart))
            loudness = gain * loudness if amplitude else torch.ones_like(loudness)
            waves.append(
                render(source, frequency, loudness, phase, frame, self.rate, bandlimited=self.config.bandlimited)
            )
        return torch.stack(waves)

    def draw(self, source: str, batch: int, frame: int, generator: torch.Generator) -> Tensor:
        """A training batch (batch, 1, frame) of random items, each cut at a random place."""
        items = torch.randint(self.count("train"), (batch,), generator=generator)
        room = self.config.duration - frame
        offset = torch.randint(room + 1, (batch,), generator=generator) if room > 0 else None
        return self.frames("train", source, items, frame, offset)
