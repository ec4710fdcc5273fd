from __future__ import annotations

from dataclasses import dataclass

from ...types import Count, Share


@dataclass(frozen=True)
class Config:
    turns: Count
    "Particles begin with the first, second, ... of so many sources in turn."
    share: Share
    "The part of the noise's variance that each sample carries; 0: 1 / N."
