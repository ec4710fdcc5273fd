from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...types import NonNegative, Positive


@dataclass(frozen=True)
class Config:
    guidance: Literal["dirac", "gaussian"]
    "How the mix guides the reverse diffusion."
    width: Positive
    "gaussian: the width of p(mix | sources) over sigma."
    churn: NonNegative
    "By which share noise is raised before each step."
