"""Do samplers sample? Exact draws within regions of each sampler's particles, and the energy distance between them."""

import numpy as np
import pandas as pd
from audiopriors import plotting, tables
from audiopriors.fidelity.table import ALL, NEAR
from matplotlib.axes import Axes

LETTERS = 22  # of a line of a panel's title
LEVELS = {"coverage_50": (0.5, "coverage_50_low", "coverage_50_high"), "coverage_95": (0.95, "low", "high")}
DISTANCES = ("energy_distance", "energy_distance_low", "energy_distance_high")
SHOWN = (0.01, 1, 100)  # of energy distances


def draw(settings, inputs):
    table = tables.read_csv(inputs[0])
    table = table[table["verdict"] != "exact"]
    mixes, methods = list(table["mix"].unique()), list(table["method"].unique())
    priors = sorted(table["prior"].unique(), key=lambda prior: prior == settings["exact"])
    looks = plotting.style_of_priors(priors, settings["exact"])
    height = 0.35 * len(methods) + 0.5
    figure, panels = plotting.wrapped(len(mixes) + 1, 4, height, margin=1.2, sharey=True)

    def mark(axes: Axes, mix: str, column: str, low: str, high: str, label: str, filled: bool) -> None:
        """A value and its interval for each method and prior."""
        for number, prior in enumerate(priors):
            rows = table[(table["mix"] == mix) & (table["prior"] == prior)]
            place = rows["method"].map(methods.index) + 0.3 * (number - (len(priors) - 1) / 2)
            color, marker = looks[prior]["color"], looks[prior]["marker"]
            axes.hlines(place, rows[low], rows[high], color=color, linewidth=0.8)
            axes.scatter(
                rows[column], place, s=26, marker=marker, zorder=3, edgecolors=color, linewidths=1,
                facecolors=color if filled else "white", label=f"{plotting.title(settings, prior)}, {label}",
            )  # fmt: skip

    distances, *shares = [panels.flat[place] for place in (1, 0, *range(2, len(mixes) + 1))]
    for axes, mix in zip(shares, mixes, strict=True):
        for column, (level, low, high) in LEVELS.items():
            axes.axvline(level, color="grey", linewidth=0.8, linestyle=":" if level == 0.5 else "--")
            mark(axes, mix, column, low, high, f"{100 * level:.0f} %", filled=level > 0.5)
        axes.set(xlim=(-0.03, 1.03), xticks=[0, 0.5, 1])
        axes.set_title("all mixes" if mix == ALL else plotting.title(settings, mix, LETTERS))
    distances.axvline(NEAR, color="grey", linewidth=0.8, linestyle="--")
    mark(distances, ALL, *DISTANCES, "", filled=True)
    distances.set(xscale="log", xlim=(SHOWN[0], SHOWN[-1]), title="all mixes:\nenergy distance")
    distances.set_xticks(SHOWN, [f"{value:g}" for value in SHOWN])
    for axes in panels[:, 0]:
        axes.set_yticks(range(len(methods)), [plotting.title(settings, method) for method in methods])
    panels[0, 0].set_ylim(len(methods) - 0.5, -0.5)
    figure.supxlabel("share of exact draws within the particles' regions of 50 % (open) and 95 % (filled)")
    plotting.legend(figure, shares[0], ncols=2)
    columns = ["mix", "method", "prior", "n", *(name for level in LEVELS.items() for name in (level[0], *level[1][1:]))]
    return figure, table[[*columns, *DISTANCES]].replace(np.nan, pd.NA)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
