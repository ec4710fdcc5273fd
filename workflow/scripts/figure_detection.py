"""AUROC of each prior's own source against all others, by noise level and measure, with intervals."""

import pandas as pd
from audiopriors import plotting, tables
from audiopriors.columns import MEASURES

TITLES = {
    "log_prob": "log p(x)", "log_ratio": f"ratio {MEASURES['log_ratio']}\n(worst other source)",
    "published": "score as published",
}  # fmt: skip


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    table = table[table["prior_sigma"] == table["data_sigma"]]
    priors, shown = settings["priors"], []
    figure, panels = plotting.grid(len(priors), len(TITLES), 1.4, margin=1.4, sharex=True, sharey=True)
    for line, prior in zip(panels, priors, strict=True):
        for axes, column in zip(line, TITLES, strict=True):
            measure = plotting.published_measure(table, prior) if column == "published" else column
            chosen = table[(table["prior"] == prior) & (table["measure"] == measure)]
            if chosen.empty:
                plotting.empty(axes, "no such score")
                continue
            if measure == "log_ratio":  # it is of pairs: the worst
                chosen = chosen.loc[chosen.groupby(["prior_source", "prior_sigma"], sort=False)["auroc"].idxmin()]
            else:
                chosen = chosen[chosen["test_source"] == "rest"]
            place = plotting.sigma_axis(axes, settings["sigmas"])
            for k, (source, look) in enumerate(plotting.style(settings["sources"]).items()):
                rows = chosen[chosen["prior_source"] == source]
                plotting.intervals(
                    axes, rows["prior_sigma"].map(place) + 0.1 * (k - 1.5), rows, "auroc", label=source, **look
                )
            axes.axhline(0.5, color="grey", linewidth=0.8, linestyle=":")
            axes.set(ylim=(-0.03, 1.05), yticks=[0, 0.5, 1], xlim=(-0.5, len(place) - 0.5))
            shown.append(chosen)
        plotting.name_row(line, plotting.title(settings, prior, plotting.LETTERS))
    for axes, title in zip(panels[0], TITLES.values(), strict=True):
        axes.set_title(title)
    plotting.label_lowest(panels, "σ of prior and data")
    figure.supylabel("AUROC of the own source against the others")
    plotting.legend(figure, panels[0, 0])
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
