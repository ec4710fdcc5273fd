"""A waveform drawn from each prior at each noise level."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from audiopriors import files, plotting

MILLISECONDS = 10


def draw(settings, inputs):
    sources, sigmas = settings["sources"], settings["sigmas"]
    priors = settings["priors"]
    drawn = {
        (prior, source): waves
        for prior, path in zip(priors, inputs, strict=True)
        for source, waves in zip(sources, files.read_array(path), strict=True)
    }
    rate = settings["data"]["settings"]["rate"]
    length = min(next(iter(drawn.values())).shape[2], int(rate * MILLISECONDS / 1000))
    time = 1000 * np.arange(length) / rate
    figure, panels = plt.subplots(
        len(drawn),
        len(sigmas),
        figsize=(2.2 * len(sigmas), 1.3 * len(drawn)),
        sharex="col",  # not all with all: matplotlib looks through all that are shared, again and again
        sharey="row",
        squeeze=False,
        layout="constrained",
    )
    rows = []
    for row, ((prior, source), waves) in zip(panels, drawn.items(), strict=True):
        for axes, sigma, wave in zip(row, sigmas, waves[:, 0, :length], strict=True):
            if np.isnan(wave).all():
                why = "no density at σ = 0" if sigma == "0" else "not trained"
                axes.text(0.5, 0.5, why, transform=axes.transAxes, ha="center", color="grey", fontsize=7)
                continue
            axes.plot(time, wave, color=plotting.style(sources)[source]["color"], linewidth=0.9)
            rows.append(
                pd.DataFrame(
                    {"prior": prior, "prior_source": source, "sigma": sigma, "time_ms": time, "amplitude": wave}
                )
            )
        row[0].set_ylabel(source if len(priors) == 1 else f"{prior}\n{source}", fontsize="small")
        row[0].set_ylim(-2, 2)
    for axes, sigma in zip(panels[0], sigmas, strict=True):
        axes.set_title(f"σ = {sigma}")
    for axes in panels[-1]:
        axes.set_xlabel("time (ms)")
    return figure, pd.concat(rows)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
