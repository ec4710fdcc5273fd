"""Mixes to separate, and the rows that a separation leaves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from . import metrics


def mixes(data, sources: list[str], items: int, frame: int) -> tuple[Tensor, Tensor]:
    """The true sources (N, B, 1, T) and their mix M (B, 1, T) in the sum domain, of the first test items.

    Toy mixes are means: M = N m. A recorded mix is near the sum of its sources: M = m.
    """
    numbers = torch.arange(min(items, data.count("test")))
    truth = torch.stack([data.frames("test", source, numbers, frame) for source in sources])
    return truth, data.mixture("test", sources, numbers, frame) * data.mix_divisor(sources)


def trace_table(trace: list[tuple[int, int, Tensor, Tensor]], sigmas: list[str], first_item: int) -> pd.DataFrame:
    """Rows (item, level, sigma, step, energy, residual) of what the sampler's callback was given."""
    parts = [
        pd.DataFrame(
            {"item": first_item + np.arange(len(energy)), "level": level, "sigma": sigmas[level], "step": step,
             "energy": energy.numpy(), "residual": residual.numpy()}
        )
        for level, step, energy, residual in trace
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def rows(
    settings: dict, data, family: str, method: str, truth: Tensor, mix: Tensor, estimates: Tensor,
    stopped: Tensor | bool = False,
) -> pd.DataFrame:  # fmt: skip
    """Metrics of each item and source, of estimates (N, B, 1, T)."""
    value = metrics.si_sdr(estimates, truth)  # (N, B, 1)
    improvement = value - metrics.si_sdr(mix.expand_as(truth), truth)
    consistency = metrics.consistency(estimates, mix)
    return pd.concat([
        pd.DataFrame({
            "dataset": settings["dataset"], "method": method, "family": family,
            "mix": "+".join(settings["mix"]), "source": source, "item": np.arange(mix.shape[0]),
                    "track": data.tracks("test")[: mix.shape[0]],
            "si_sdr": value[k, :, 0].numpy(), "si_sdr_improvement": improvement[k, :, 0].numpy(),
            "consistency": consistency.numpy(), "stopped": np.broadcast_to(stopped, mix.shape[0]),
        })
        for k, source in enumerate(settings["mix"])
    ], ignore_index=True)  # fmt: skip
