"""In-class likelihood against added noise, under priors trained without noise and with noise, side by side."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from audiopriors import plotting, tables


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    priors, sources, rows = settings["priors"], settings["sources"], []
    table = table[(table["measure"] == "log_prob") & (table["prior_source"] == table["test_source"])]
    figure, panels = plt.subplots(len(priors), 2, figsize=(8, 2.3 * len(priors)), sharex=True, sharey="row",
                                  squeeze=False, layout="constrained")  # fmt: skip
    for line, prior in zip(panels, priors, strict=True):
        of_prior = table[table["prior"] == prior]
        levels = [level for level in settings["sigmas"] if (of_prior["prior_sigma"] == level).any()]
        least, most = levels[0], levels[-1]
        for axes, sigma in zip(line, (least if least != most else None, most), strict=True):
            if sigma is None:
                plotting.empty(axes, f"{prior}: of one noise level only")
            else:
                rows.append(against_noise(axes, of_prior[of_prior["prior_sigma"] == sigma], sources))
                axes.set_title(f"{prior}, " + ("without noise" if sigma == "0" else f"with noise, σ = {sigma}"))
        plotting.label_row(line, "log p(x), nats/sample")
    for column in panels.T:
        lowest = [axes for axes in column if axes.axison][-1:]
        for axes in lowest:
            axes.set_xlabel("noise added (std. dev.)")
            axes.tick_params(labelbottom=True)
    figure.legend(*panels[0, 1].get_legend_handles_labels(), loc="outside upper center", ncols=len(sources))
    return figure, pd.concat(rows)


def against_noise(axes, table, sources):
    """A line a source, of priors of one noise level (dotted); returns the rows of finite means."""
    finite = table[np.isfinite(table["mean"])].assign(noise=lambda rows: rows["data_sigma"].astype(float))
    for source, look in plotting.style(sources).items():
        chosen = finite[finite["prior_source"] == source].sort_values("noise")
        plotting.intervals(axes, chosen["noise"], chosen, label=source, **look)
    if len(finite) < len(table):
        axes.text(0.98, 0.05, "elsewhere −∞", transform=axes.transAxes, ha="right", color="grey")
    if (sigma := float(table["prior_sigma"].iloc[0])) > 0:
        axes.axvline(sigma, color="black", linewidth=0.8, linestyle=":")
    axes.set_xscale("symlog", linthresh=1e-3)
    plotting.value_scale(axes)
    return finite.drop(columns="noise")


if __name__ == "__main__":
    plotting.program(__doc__, draw)
