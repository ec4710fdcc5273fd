"""Do samplers sample? The share of exact draws within regions of each sampler's particles, of each kind of mix."""

import numpy as np
import pandas as pd
from audiopriors import plotting, tables
from audiopriors.fidelity.table import ALL

LETTERS = 22  # of a line of a panel's title
LEVELS = {"coverage_50": (0.5, "coverage_50_low", "coverage_50_high"), "coverage_95": (0.95, "low", "high")}


def draw(settings, inputs):
    table = tables.read_csv(inputs[0])
    table = table[table["verdict"] != "exact"]
    mixes, methods = list(table["mix"].unique()), list(table["method"].unique())
    priors = sorted(table["prior"].unique(), key=lambda prior: prior == settings["exact"])
    looks = plotting.style_of_priors(priors, settings["exact"])
    figure, panels = plotting.wrapped(len(mixes), 4, 0.35 * len(methods) + 0.3, margin=1.2, sharex=True, sharey=True)
    for axes, mix in zip(panels.flat, mixes, strict=False):
        for (level, low, high), column in zip(LEVELS.values(), LEVELS, strict=True):
            axes.axvline(level, color="grey", linewidth=0.8, linestyle=":" if level == 0.5 else "--")
            for number, prior in enumerate(priors):
                rows = table[(table["mix"] == mix) & (table["prior"] == prior)]
                place = rows["method"].map(methods.index) + 0.3 * (number - (len(priors) - 1) / 2)
                color, marker = looks[prior]["color"], looks[prior]["marker"]
                axes.hlines(place, rows[low], rows[high], color=color, linewidth=0.8)
                axes.scatter(
                    rows[column], place, s=26, marker=marker, zorder=3, edgecolors=color, linewidths=1,
                    facecolors="white" if level == 0.5 else color,
                    label=f"{plotting.title(settings, prior)}, {100 * level:.0f} %",
                )  # fmt: skip
        axes.set(xlim=(-0.03, 1.03), xticks=[0, 0.5, 1], ylim=(len(methods) - 0.5, -0.5))
        axes.set_yticks(range(len(methods)), [plotting.title(settings, method) for method in methods])
        axes.set_title("all mixes" if mix == ALL else plotting.title(settings, mix, LETTERS))
    plotting.label_lowest(panels)
    figure.supxlabel("share of exact draws within the particles' regions of 50 % (open) and 95 % (filled)")
    plotting.legend(figure, panels.flat[0], ncols=2)
    columns = ["mix", "method", "prior", "n", *(name for level in LEVELS.items() for name in (level[0], *level[1][1:]))]
    return figure, table[columns].replace(np.nan, pd.NA)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
