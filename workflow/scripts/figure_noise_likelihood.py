"""In-class likelihood against added noise, under priors trained without noise and with noise, side by side."""

import numpy as np
import pandas as pd
from audiopriors import plotting, tables

PAIRS = 2  # beside each other


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    priors, sources, rows = settings["priors"], settings["sources"], []
    table = table[(table["measure"] == "log_prob") & (table["prior_source"] == table["test_source"])]
    pairs = min(PAIRS, len(priors))
    figure, panels = plotting.grid(-(-len(priors) // pairs), 2 * pairs, 1.9, margin=1.5, sharex=True)
    for axes in panels.flat[2 * len(priors) :]:
        plotting.empty(axes, "")
    for line, prior in zip(panels.reshape(-1, 2), priors, strict=False):
        of_prior = table[table["prior"] == prior]
        levels = [level for level in settings["sigmas"] if (of_prior["prior_sigma"] == level).any()]
        least, most = levels[0], levels[-1]
        for axes, sigma in zip(line, (least if least != most else None, most), strict=True):
            if sigma is None:
                plotting.empty(axes, "one noise level only")
            else:
                rows.append(against_noise(axes, of_prior[of_prior["prior_sigma"] == sigma], sources))
            level = "" if sigma is None else "without noise" if sigma == "0" else f"with noise, σ = {sigma}"
            axes.set_title(f"{plotting.title(settings, prior, 20)}\n{level}")
    plotting.label_lowest(panels)
    figure.supxlabel("noise added (standard deviation)")
    figure.supylabel("log p(x), nats/sample")
    plotting.legend(figure, *panels.flat)
    return figure, pd.concat(rows)


def against_noise(axes, table, sources):
    """A line a source, of priors of one noise level (dotted); returns the rows of finite means."""
    finite = table[np.isfinite(table["mean"])].assign(noise=lambda rows: rows["data_sigma"].astype(float))
    for source, look in plotting.style(sources).items():
        chosen = finite[finite["prior_source"] == source].sort_values("noise")
        plotting.intervals(axes, chosen["noise"], chosen, label=source, **look)
    if len(finite) < len(table):
        axes.text(0.03, 0.05, "elsewhere −∞", transform=axes.transAxes, color="grey")
    if (sigma := float(table["prior_sigma"].iloc[0])) > 0:
        axes.axvline(sigma, color="black", linewidth=0.8, linestyle=":")
    axes.set_xscale("symlog", linthresh=1e-3)
    mean = finite["mean"]  # of intervals no more than 1 is shown
    plotting.end_axis(axes, [*mean, *finite["low"].clip(lower=mean - 1), *finite["high"].clip(upper=mean + 1)])
    return finite.drop(columns="noise")


if __name__ == "__main__":
    plotting.program(__doc__, draw)
