from __future__ import annotations

from dataclasses import dataclass

from ...types import Count, Positive


@dataclass(frozen=True)
class Config:
    steps: Count
    "Steps for each sigma."
    step_size: Positive
    "delta: the step eta is delta sigma^2."
    mixture_width: Positive
    "Gamma / sigma, the width of p(mix | sources) in the sum domain."
    metropolis: bool
    "Accept or reject each step (MALA); needs log p in each, which is dear for score priors."
