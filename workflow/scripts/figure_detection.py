"""AUROC of each prior's own source against all others, by noise level and measure, with intervals."""

import matplotlib.pyplot as plt
import pandas as pd
from audiopriors import plotting, tables
from audiopriors.columns import MEASURES

PANELS = ["log_prob", "log_ratio", "mixture_ratio", "typicality", "published"]


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    table = table[table["prior_sigma"] == table["data_sigma"]]
    priors, shown = settings["priors"], []
    figure, panels = plt.subplots(len(priors), len(PANELS), figsize=(3.1 * len(PANELS), 2.9 * len(priors)),
                                  sharey=True, squeeze=False, layout="constrained")  # fmt: skip
    for line, prior in zip(panels, priors, strict=True):
        for axes, column in zip(line, PANELS, strict=True):
            measure = plotting.published_measure(table, prior) if column == "published" else column
            chosen = table[(table["prior"] == prior) & (table["measure"] == measure)]
            if chosen.empty:
                plotting.empty(axes, "a density only")
                continue
            if measure == "log_ratio":  # it is of pairs: the worst
                chosen = chosen.loc[chosen.groupby(["prior_source", "prior_sigma"], sort=False)["auroc"].idxmin()]
            else:
                chosen = chosen[chosen["test_source"] == "rest"]
            place = plotting.sigma_axis(axes, settings["sigmas"])
            for k, (source, look) in enumerate(plotting.style(settings["sources"]).items()):
                rows = chosen[chosen["prior_source"] == source]
                plotting.intervals(
                    axes, rows["prior_sigma"].map(place) + 0.08 * (k - 1.5), rows, "auroc", label=source, **look
                )
            axes.axhline(0.5, color="grey", linewidth=0.8, linestyle=":")
            worst = "\n(worst other source)" if measure == "log_ratio" else ""
            axes.set(
                title=MEASURES[measure] + worst,
                xlabel="σ of prior and data",
                ylim=(-0.02, 1.02),
            )
            axes.set_xlim(-0.5, len(place) - 0.5)
            axes.tick_params(axis="x", rotation=40)
            shown.append(chosen)
        line[0].set_ylabel(f"{prior}\nAUROC, own source against the rest")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(settings["sources"]))
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
