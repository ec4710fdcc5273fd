"""Waveforms drawn from each prior at some noise levels."""

import numpy as np
import pandas as pd
from audiopriors import files, plotting

MILLISECONDS = 10
APART = 3  # of amplitude, between waves above each other
MOST = 10  # amplitude of a wave that is drawn


def draw(settings, inputs):
    sources, sigmas, priors = settings["sources"], settings["sigmas"], settings["priors"]
    of_priors = {prior: files.read_array(path) for prior, path in zip(priors, inputs, strict=True)}
    rate = settings["data"]["settings"]["rate"]
    length = min(next(iter(of_priors.values())).shape[-1], int(rate * MILLISECONDS / 1000))
    time = 1000 * np.arange(length) / rate
    figure, panels = plotting.grid(len(priors), len(sources), 1.5, sharex=True)
    rows = []
    for row, (prior, waves) in zip(panels, of_priors.items(), strict=True):
        waves = waves[:, :, 0, :length]  # (sources, sigmas, time)
        chosen = ends_and_middle([level for level in range(len(sigmas)) if not np.isnan(waves[:, level]).all()])
        for axes, source, of_source in zip(row, sources, waves, strict=True):
            for place, level in enumerate(chosen):
                wave = of_source[level]
                height, colour = -APART * place, plotting.style(sources)[source]["color"]
                if np.abs(wave).max() < MOST:
                    axes.plot(time, wave + height, color=colour, linewidth=0.9)
                else:  # it would cover the others
                    reached = f"reaches ±{plotting.number(np.abs(wave).max(), 0)}"
                    axes.text(time.mean(), height, reached, color=colour, ha="center", va="center")
                rows.append(pd.DataFrame({"prior": prior, "prior_source": source, "sigma": sigmas[level],
                                          "time_ms": time, "amplitude": wave}))  # fmt: skip
            labels = [f"σ = {sigmas[level]}" for level in chosen] if axes is row[0] else []
            axes.set_yticks([-APART * place for place in range(len(labels))], labels)
            axes.set_ylim(-APART * (len(chosen) - 1) - 2, 2)
        plotting.name_row(row, plotting.title(settings, prior, plotting.LETTERS))
    for axes, source in zip(panels[0], sources, strict=True):
        axes.set_title(source)
    figure.supxlabel("time (ms)")
    return figure, pd.concat(rows)


def ends_and_middle(levels: list[int]) -> list[int]:
    """The first, the middle one and the last."""
    return sorted({levels[0], levels[len(levels) // 2], levels[-1]})


if __name__ == "__main__":
    plotting.program(__doc__, draw)
