"""Mixes to separate, and the rows that a separation leaves."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from . import files, metrics
from .files import write_bytes


def mixes(data, sources: list[str], items: int, frame: int) -> tuple[Tensor, Tensor]:
    """The true sources (N, B, 1, T) and their sum M (B, 1, T), of the first test items."""
    numbers = torch.arange(min(items, data.count("test")))
    truth = torch.stack([data.frames("test", source, numbers, frame) for source in sources])
    return truth, truth.sum(0)


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


def write(
    settings: dict, truth: Tensor, mix: Tensor, estimates: Tensor, stopped: Tensor, traces: list[pd.DataFrame],
    *, rows: str, trace: str | None = None, examples: str | None = None,
) -> None:  # fmt: skip
    """Metrics of each item and source; the trace and the first estimates where a path is given."""
    value = metrics.si_sdr(estimates, truth)  # (N, B, 1)
    of_mix = metrics.si_sdr(mix.expand_as(truth), truth)
    consistency = metrics.consistency(estimates, mix)
    files.write_rows(
        pd.concat([
            pd.DataFrame({
                "dataset": settings["dataset"], "method": settings["method"], "family": settings["prior"],
                "mix": "+".join(settings["mix"]), "source": source, "item": np.arange(mix.shape[0]),
                "si_sdr": value[k, :, 0].numpy(), "si_sdr_improvement": (value - of_mix)[k, :, 0].numpy(),
                "consistency": consistency.numpy(), "stopped": stopped.numpy(),
            })
            for k, source in enumerate(settings["mix"])
        ], ignore_index=True), rows)  # fmt: skip
    if trace:
        files.write_rows(pd.concat(traces, ignore_index=True), trace)
    if examples:
        buffer = io.BytesIO()
        np.save(buffer, estimates[:, : settings["examples"], 0].numpy().astype(np.float32))
        write_bytes(examples, buffer.getvalue())
