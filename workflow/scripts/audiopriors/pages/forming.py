"""How a separation forms from large to small noise, as a slider of a page shows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import sounds
from .numbers import short

MOST = 40  # levels


@dataclass(frozen=True)
class Forming:
    """The estimates of each source at some noise levels."""

    levels: list[dict]
    "Of each level its name, and of each source's estimate the outline, the picture and the sound: JSON of the slider."
    clips: list[sounds.Clip]
    "Those of the last level."


def forming(
    states: np.ndarray, sigmas: list[float], sources: list[str], rate: int, colours: list[str],
    truth: list[np.ndarray] | None = None,
) -> Forming:  # fmt: skip
    """states: the estimates (levels, sources, samples) at each noise level; truth: the true waves (samples,)."""
    chosen = np.unique(np.linspace(0, len(states) - 1, MOST).round().astype(int))
    scales = sounds.ends(states[-1].reshape(-1) if truth is None else np.concatenate(truth))
    levels = []
    for level in chosen:
        name = f"σ = {short(sigmas[level])}"
        clips = [
            sounds.clip(source, name, wave, rate, colour=colour, scales=scales,
                        truth=None if truth is None else truth[number])
            for number, (source, wave, colour) in enumerate(zip(sources, states[level], colours, strict=True))
        ]  # fmt: skip
        parts = [{"outline": clip.outline, "picture": clip.picture, "sound": clip.sound} for clip in clips]
        levels.append({"sigma": name, "clips": parts})
    return Forming(levels, clips)
