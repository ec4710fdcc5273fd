"""Mixes to separate, the methods of the config, and the rows that a separation leaves."""

from __future__ import annotations

import logging
import math
import time

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from . import metrics, samplers
from .checkpoints import load_prior
from .likelihood import log_prob_and_gradient
from .seeds import torch_generator

log = logging.getLogger(__name__)


def mixes(data, sources: list[str], items: int, frame: int) -> tuple[Tensor, Tensor]:
    """The true sources (N, B, 1, T) and their mix M (B, 1, T) in the sum domain, of the first test items.

    Toy mixes are means: M = N m. A recorded mix is near the sum of its sources: M = m.
    """
    numbers = torch.arange(min(items, data.count("test")))
    truth = torch.stack([data.frames("test", source, numbers, frame) for source in sources])
    return truth, data.mixture("test", sources, numbers, frame) * data.mix_divisor(sources)


def separator(paths: list[str], sources: list[str], method: dict, device):
    """A method of the config under the priors at `paths`: for each sigma of the method in turn, each source in turn.

    Returns separate(mix, generator, callback): M (B, 1, T), on any device -> estimates (N, B, 1, T) and which items
    stopped (B,), see `samplers.langevin`, on the CPU.
    """

    def joint(level_paths: list[str], sigma: float) -> samplers.Prior:
        """log p_k(s_k) at noise level sigma and its gradient, of the priors at these paths, one a source."""
        priors = [
            load_prior(path, expect={"source": source}).to(device).at(sigma)
            for path, source in zip(level_paths, sources, strict=True)
        ]

        def prior(state: Tensor) -> tuple[Tensor, Tensor]:
            pairs = [log_prob_and_gradient(one, part) for one, part in zip(priors, state, strict=True)]
            return torch.stack([pair[0] for pair in pairs]), torch.stack([pair[1] for pair in pairs])

        return prior

    levels = [
        samplers.Level(
            prior=joint(paths[number * len(sources) : (number + 1) * len(sources)], level),
            sigma=level,
            steps=method["steps"],
            step_size=method["step_size"],
            mixture_width=method["mixture_width"],
        )
        for number, level in enumerate(float(sigma) or method["noise_free_sigma"] for sigma in method["sigmas"])
    ]

    def separate(mix: Tensor, generator: torch.Generator, callback: samplers.Callback | None = None):
        mix = mix.to(device)
        noise = torch.randn(len(sources), *mix.shape, generator=generator).to(device)
        state, stopped = samplers.langevin(
            mix / len(sources) + levels[0].sigma * noise, mix, levels, generator, callback
        )
        if float(method["sigmas"][-1]) > 0:
            state = samplers.denoise(state, levels[-1].prior, levels[-1].sigma)
        return state.cpu(), stopped.cpu()

    return separate


def separate_all(
    separate, mix: Tensor, method: dict, *, batch_samples: int, seed: tuple
) -> tuple[Tensor, Tensor, pd.DataFrame]:
    """All mixes M (B, 1, T), as many at once as `batch_samples` says, with a line of progress every 20 steps.

    Returns estimates (N, B, 1, T), which items stopped (B,), and rows (item, level, sigma, step, energy, residual) of
    every step.
    """
    size = max(1, batch_samples // mix.shape[2])
    starts = range(0, mix.shape[0], size)
    estimates, stopped, trace, begun = [], [], [], time.monotonic()
    total = len(starts) * len(method["sigmas"]) * method["steps"]
    for start in starts:

        def note(level, step, energy, residual, start=start):
            sigma = method["sigmas"][level]
            trace.append(
                {"item": start + np.arange(len(energy)), "level": level, "sigma": sigma, "step": step,
                 "energy": energy.cpu().numpy(), "residual": residual.cpu().numpy()}
            )  # fmt: skip
            if step == 0 or (step + 1) % 20 == 0 or step + 1 == method["steps"]:
                left = (time.monotonic() - begun) * (total / len(trace) - 1)
                log.info(
                    "mixes %d to %d of %d, sigma %s, step %d/%d: median residual %.3g, %.0f s left",
                    start + 1, start + len(energy), mix.shape[0], sigma, step + 1, method["steps"],
                    residual.median().item(), left,
                )  # fmt: skip

        made, halted = separate(mix[start : start + size], torch_generator(*seed, start), note)
        estimates.append(made)
        stopped.append(halted)
    traced = pd.concat([pd.DataFrame(rows) for rows in trace], ignore_index=True)
    return torch.cat(estimates, 1), torch.cat(stopped), traced


def overlapping(waves: Tensor, frame: int, fade: int) -> Tensor:
    """Waves (C, n) cut into frames that overlap by `fade` samples, with zeros at both ends. Shape: (C, F, frame)."""
    hop, length = frame - fade, fade + waves.shape[1]
    count = math.ceil(length / hop)  # the last fade is beyond the end
    return torch.nn.functional.pad(waves, (fade, count * hop + fade - length)).unfold(1, frame, hop)


def cross_faded(frames: Tensor, length: int, fade: int) -> Tensor:
    """Frames (..., F, frame) of `overlapping`, put together again: linear fades that add up to one. (..., length)."""
    *_, count, frame = frames.shape
    ramp = (torch.arange(fade) + 0.5) / max(1, fade)
    weight = torch.ones(frame)
    weight[:fade] = ramp
    weight[frame - fade :] = ramp.flip(0)
    hop = frame - fade
    total = torch.zeros(*frames.shape[:-2], count * hop + fade)
    for number in range(count):
        total[..., number * hop : number * hop + frame] += weight * frames[..., number, :]
    return total[..., fade : fade + length]


def rows(
    settings: dict, data, family: str, method: str, truth: Tensor, mix: Tensor, estimates: Tensor,
    stopped: Tensor | bool = False,
) -> pd.DataFrame:  # fmt: skip
    """Metrics of each item and source, of estimates (N, B, 1, T)."""
    value = metrics.si_sdr(estimates, truth)  # (N, B, 1)
    improvement = value - metrics.si_sdr(mix.expand_as(truth), truth)
    consistency = metrics.consistency(estimates, mix)
    tracks = data.tracks("test")[: mix.shape[0]]
    others = metrics.bss_eval(estimates, truth, tracks) if data.bss_eval else {}
    return pd.concat([
        pd.DataFrame({
            "dataset": settings["dataset"], "method": method, "family": family,
            "mix": "+".join(settings["mix"]), "source": source, "item": np.arange(mix.shape[0]), "track": tracks,
            "si_sdr": value[k, :, 0].numpy(), "si_sdr_improvement": improvement[k, :, 0].numpy(),
            "consistency": consistency.numpy(), "stopped": np.broadcast_to(stopped, mix.shape[0]),
            **{name: values[k] for name, values in others.items()},
        })
        for k, source in enumerate(settings["mix"])
    ], ignore_index=True)  # fmt: skip
