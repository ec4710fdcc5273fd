"""Detection within each track: one dot a track, by the likelihood and by the ratio of two priors."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from audiopriors import plotting, tables
from audiopriors.columns import MEASURES


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    table = table[table["prior_sigma"] == table["data_sigma"]]
    priors, sources, shown = settings["priors"], settings["sources"], []
    columns = [(measure, sigma) for sigma in settings["sigmas"] for measure in ("log_prob", "log_ratio")]
    figure, panels = plt.subplots(len(priors), len(columns), figsize=(3 * len(columns), 2.6 * len(priors)),
                                  sharey=True, squeeze=False, layout="constrained")  # fmt: skip
    for line, prior in zip(panels, priors, strict=True):
        for axes, (measure, sigma) in zip(line, columns, strict=True):
            chosen = table[(table["prior"] == prior) & (table["measure"] == measure) & (table["prior_sigma"] == sigma)]
            if chosen.empty:
                plotting.empty(axes, f"not measured at σ = {sigma}")
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
            worst = " (worst other)" if measure == "log_ratio" else ""
            axes.set(title=f"{MEASURES[measure]}{worst}\nσ = {sigma}", ylim=(-0.03, 1.03))
            shown.append(chosen)
        plotting.label_row(line, f"{prior}\nAUROC within a track")
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
