"""Detection within each track: one dot a track, by the likelihood and by the ratio of two priors."""

import numpy as np
import pandas as pd
from audiopriors import plotting, tables
from audiopriors.columns import MEASURES

TITLES = {"log_prob": "log p(x)", "log_ratio": f"ratio {MEASURES['log_ratio']}\n(worst other source)"}


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    table = table[table["prior_sigma"] == table["data_sigma"]]
    priors, sources, shown = settings["priors"], settings["sources"], []
    measured = set(table.loc[table["prior"].isin(priors), "prior_sigma"])
    columns = [(measure, sigma) for sigma in settings["sigmas"] if sigma in measured for measure in TITLES]
    figure, panels = plotting.grid(len(priors), len(columns), 1.6, least=0.5 * len(sources), sharey=True)
    for line, prior in zip(panels, priors, strict=True):
        for axes, (measure, sigma) in zip(line, columns, strict=True):
            chosen = table[(table["prior"] == prior) & (table["measure"] == measure) & (table["prior_sigma"] == sigma)]
            if chosen.empty:
                plotting.empty(axes, f"not measured\nat σ = {sigma}")
                continue
            if measure == "log_ratio":  # it is of pairs: the worst of each track
                chosen = chosen.loc[chosen.groupby(["prior_source", "track"], sort=False)["auroc"].idxmin()]
            else:
                chosen = chosen[chosen["test_source"] == "rest"]
            for k, (source, look) in enumerate(plotting.style(sources).items()):
                values = np.sort(chosen.loc[chosen["prior_source"] == source, "auroc"])
                places = k + np.linspace(-0.25, 0.25, len(values))
                axes.plot(places, values, linestyle="none", markersize=4, alpha=0.8, **look)
                if len(values):
                    axes.plot([k - 0.35, k + 0.35], 2 * [np.median(values)], color=look["color"], linewidth=1.5)
            axes.axhline(0.5, color="grey", linewidth=0.8, linestyle=":")
            axes.set_xticks(range(len(sources)), sources)
            axes.set(ylim=(-0.05, 1.05), yticks=[0, 0.5, 1])
            shown.append(chosen)
        plotting.name_row(line, plotting.title(settings, prior, plotting.LETTERS))
    for axes, (measure, sigma) in zip(panels[0], columns, strict=True):
        axes.set_title(f"σ = {sigma}\n{TITLES[measure]}")
    plotting.label_lowest(panels)
    figure.supylabel("AUROC within a track")
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
