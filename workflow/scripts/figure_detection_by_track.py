"""Detection within each track: one dot a track, by the likelihood and by the ratio of two priors."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from audiopriors import plotting, tables


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    table = table[table["prior_sigma"] == table["data_sigma"]]
    families, sources, shown = settings["families"], settings["sources"], []
    columns = [(score, sigma) for sigma in settings["sigmas"] for score in ("log_prob", "log_ratio")]
    figure, panels = plt.subplots(len(families), len(columns), figsize=(3 * len(columns), 2.6 * len(families)),
                                  sharey=True, squeeze=False, layout="constrained")  # fmt: skip
    for line, family in zip(panels, families, strict=True):
        for axes, (score, sigma) in zip(line, columns, strict=True):
            chosen = table[(table["family"] == family) & (table["score"] == score) & (table["prior_sigma"] == sigma)]
            if score == "log_ratio":  # it is of pairs: the worst of each track
                chosen = chosen.loc[chosen.groupby(["prior", "track"], sort=False)["auroc"].idxmin()]
            else:
                chosen = chosen[chosen["test"] == "rest"]
            for k, (source, look) in enumerate(plotting.style(sources).items()):
                values = np.sort(chosen.loc[chosen["prior"] == source, "auroc"])
                places = k + np.linspace(-0.25, 0.25, len(values))
                axes.plot(places, values, linestyle="none", markersize=4, alpha=0.8, **look)
                if len(values):
                    axes.plot([k - 0.35, k + 0.35], 2 * [np.median(values)], color=look["color"], linewidth=1.5)
            axes.axhline(0.5, color="grey", linewidth=0.8, linestyle=":")
            axes.set_xticks(range(len(sources)), sources)
            worst = " (worst other)" if score == "log_ratio" else ""
            axes.set(title=f"{plotting.SCORES[score]}{worst}\nσ = {sigma}", ylim=(-0.03, 1.03))
            shown.append(chosen)
        line[0].set_ylabel(f"{family}\nAUROC within a track")
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
