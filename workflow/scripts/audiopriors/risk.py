"""What refusing particles by their misfit is worth, and what more particles are worth, from rows of particles."""

from __future__ import annotations

import numpy as np
import pandas as pd

RIGHT = 10.0  # dB: a source below is not separated
FIRST = 8  # particles of a mix


def curve(misfit: np.ndarray, worst_si_sdr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of particles accepted, and share of wrong ones among these, as the accepted misfit grows; both (n,).

    misfit, worst_si_sdr: (n,), of each particle; a wrong one has a source of at most `RIGHT` dB. Particles of equal
    misfit are accepted together: each has the values that all of them give.
    """
    order = np.argsort(misfit, kind="stable")
    ranked, wrong = misfit[order], (worst_si_sdr <= RIGHT)[order]
    last = np.searchsorted(ranked, ranked, side="right")
    return last / len(ranked), np.cumsum(wrong)[last - 1] / last


def best_of_first(particles: pd.DataFrame) -> float:
    """Share of sources above `RIGHT` dB where each mix has the least misfit of its first `FIRST` particles.

    particles: rows item, round, particle, misfit and share_right. A mix that was accepted earlier has fewer.
    """
    first = particles.sort_values(["item", "round", "particle"]).groupby("item").head(FIRST).reset_index(drop=True)
    return float(first.loc[first.groupby("item")["misfit"].idxmin(), "share_right"].mean())
