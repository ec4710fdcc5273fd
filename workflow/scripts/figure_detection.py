"""AUROC of each prior's own source against all others, by noise level and score, with intervals."""

import matplotlib.pyplot as plt
from audiopriors import plotting, tables

SCORES = ["latent_log_prob", "log_prob", "typicality", "mixture_ratio"]


def draw(settings, inputs):
    table = tables.read_csv(inputs[0])
    table = table[
        (table["prior_sigma"] == table["data_sigma"]) & (table["test"] == "rest") & table["score"].isin(SCORES)
    ]
    families = list(table["family"].unique())
    figure, panels = plt.subplots(
        len(families),
        len(SCORES),
        figsize=(3.2 * len(SCORES), 2.9 * len(families)),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for row, family in zip(panels, families, strict=True):
        for axes, score in zip(row, SCORES, strict=True):
            place = plotting.sigma_axis(axes, settings["sigmas"])
            for k, (source, look) in enumerate(plotting.style(settings["sources"]).items()):
                rows = table[(table["family"] == family) & (table["score"] == score) & (table["prior"] == source)]
                plotting.intervals(
                    axes,
                    rows["prior_sigma"].map(place) + 0.08 * (k - 1.5),
                    rows,
                    "auroc",
                    label=source,
                    **look,
                )
            axes.axhline(0.5, color="grey", linewidth=0.8, linestyle=":")
            axes.set(title=plotting.SCORES[score], xlabel="σ of prior and data", ylim=(-0.02, 1.02))
            axes.tick_params(axis="x", rotation=40)
        row[0].set_ylabel(f"{family}\nAUROC, own source against the rest")
    panels[0, 0].legend()
    plotting.sns.despine()
    return figure, table


if __name__ == "__main__":
    plotting.program(__doc__, draw)
