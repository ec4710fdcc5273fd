"""Fig. 4: as Fig. 3, at every noise level, the same for prior and data: the mean likelihood, and what ratios tell."""

import numpy as np
import pandas as pd
from audiopriors import plotting, tables

QUANTITIES = {"mean": ("log_prob", "mean\nlog p(x)"), "auroc": ("log_ratio", "AUROC\nof ratio")}


def draw(settings, inputs):
    likelihood, detection = (tables.members(tables.read_csv(path)) for path in inputs)
    sources, sigmas = settings["sources"], settings["sigmas"]
    limits = plotting.limits_of_means(settings["data"]["kind"], likelihood)
    lines = [(prior, value) for prior in settings["priors"] for value in QUANTITIES]
    figure, panels = plotting.grid(len(lines), len(sigmas), 0.07 + 0.22 * len(sources), least=0.43 * len(sources))
    shown = []
    for row, (prior, value) in zip(panels, lines, strict=True):
        table, (measure, label) = likelihood if value == "mean" else detection, QUANTITIES[value]
        for axes, sigma in zip(row, sigmas, strict=True):
            chosen = table[
                (table["prior"] == prior) & (table["measure"] == measure) & table["test_source"].isin(sources)
                & (table["prior_sigma"] == sigma) & (table["data_sigma"] == sigma)
            ]  # fmt: skip
            shown.append(chosen.assign(quantity=value))
            if chosen.empty:
                plotting.empty(axes, "no density\nat σ = 0" if sigma == "0" else "not trained")
                continue
            colours = (*limits, "viridis", 1) if value == "mean" else (*plotting.SHARES, "cividis", 2)
            plotting.heat_map(axes, plotting.matrix(chosen, value, sources, sources), sources, sources, *colours)
            axes.tick_params(labelsize=plotting.SMALL)
        for axes in row[1:]:
            axes.set_yticks([])
        if plotting.is_empty(row[0]):  # rows have their names at the left all the same
            row[0].set_ylim(len(sources), 0)
            row[0].set_yticks(np.arange(len(sources)) + 0.5, sources, fontsize=plotting.SMALL)
            row[0].tick_params(labelleft=True)
        row[-1].annotate(label, (1, 0.5), (6, 0), xycoords="axes fraction", textcoords="offset points", va="center")
        plotting.name_row(row, plotting.title(settings, prior, 12) if value == "mean" else "")
    for axes, sigma in zip(panels[0], sigmas, strict=True):
        axes.set_title(f"σ = {sigma}")
    for axes in panels[:-1].flat:
        axes.tick_params(labelbottom=False)
    figure.supxlabel("prior source (rows: test source)")
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
