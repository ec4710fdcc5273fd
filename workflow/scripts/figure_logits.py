"""Logits of the classes: by how much items are likelier under their own source's prior than under each other's."""

import itertools

import numpy as np
import pandas as pd
from audiopriors import files, plotting, tables
from matplotlib.ticker import FixedLocator

BEST = "best other"
POINTS = 200  # drawn of a distribution
TICKS = [-10000, -100, 0, 100, 10000]


def margins(rows: pd.DataFrame, sources: list[str], sigma: str) -> pd.DataFrame:
    """log p_k(x) - log p_j(x) in nats of items x of each source k against each other j, and against the best other.

    rows: measures of one prior. sigma: the noise level of prior and data.
    """
    cells, parts = tables.cells(tables.members(rows), "log_prob"), []
    for truth in sources:
        logits = {source: cells[source, sigma, truth, sigma] for source in sources}  # each (seeds, items)
        own = logits.pop(truth)
        logits[BEST] = np.max(list(logits.values()), axis=0)
        parts += [
            pd.DataFrame({"test_source": truth, "against": other, "margin": (own - values).ravel()})
            for other, values in logits.items()
        ]
    return pd.concat(parts)


def strip(axes, margin: pd.Series, height: float, filled: bool, look: dict) -> None:
    """The first items' margins as points, the median of all as a stroke, and the share above 0 at the right."""
    shown = margin[:POINTS]
    axes.plot(
        shown, np.full(len(shown), height), linestyle="none", markersize=3.5, alpha=0.6,
        fillstyle="full" if filled else "none", **look,
    )  # fmt: skip
    axes.plot([margin.median()] * 2, [height - 0.17, height + 0.17], color="black", linewidth=1.5)
    axes.text(
        1.01, height, f"{100 * (margin > 0).mean():.0f} %", transform=axes.get_yaxis_transform(), va="center",
        fontsize=plotting.SMALL, color="black" if filled else "0.45",
    )  # fmt: skip


def draw(settings, inputs):
    sources, exact, measures = settings["sources"], settings["exact"], files.read_rows(inputs)
    look = plotting.style(sources) | {BEST: {"color": "black", "marker": "o"}}
    lines, shown = list(settings["joint_priors"].items()), []
    sigmas = {joint: max(measures.loc[measures["prior"] == joint, "prior_sigma"], key=float) for joint, _ in lines}
    if exact:
        lines.append((exact, None))
        sigmas[exact] = max(sigmas.values(), key=float)
    figure, panels = plotting.grid(len(lines), len(sources), 0.5 + 0.42 * len(sources), sharex=True)
    for row, (name, start) in zip(panels, lines, strict=True):
        priors = [start, name] if start else [name]
        of_priors = {prior: margins(measures[measures["prior"] == prior], sources, sigmas[name]) for prior in priors}
        for axes, truth in zip(row, sources, strict=True):
            others = [*(source for source in sources if source != truth), BEST]
            for prior, place in itertools.product(priors, range(len(others))):
                table = of_priors[prior]
                chosen = table[(table["test_source"] == truth) & (table["against"] == others[place])]["margin"]
                shift = 0.0 if start is None else 0.19 if prior == name else -0.19
                strip(axes, chosen, place + shift, prior == name, look[others[place]])
            axes.axvline(0, color="grey", linewidth=0.8, linestyle=":")
            axes.set_xscale("symlog", linthresh=10)
            axes.xaxis.set_major_locator(FixedLocator(TICKS))
            axes.set_yticks(range(len(others)), others)
            axes.set_ylim(len(others) - 0.5, -0.5)
        begun = f"\n(open: {plotting.title(settings, start)})" if start else ""
        for axes in row:
            axes.tick_params(axis="x", labelbottom=True)
        row[0].set_ylabel("other prior")
        names = f"{plotting.title(settings, name)}{begun}, σ = {sigmas[name]}".replace("\n", " ")
        heading = row[0].annotate(names, (0, 1), (-40, 24), xycoords="axes fraction", textcoords="offset points",
                               va="bottom", fontweight="bold")  # fmt: skip
        heading.set_in_layout(False)  # it is as wide as several panels; titles leave a line for it
        shown += [table.assign(prior=prior, sigma=sigmas[name]) for prior, table in of_priors.items()]
        for axes, truth in zip(row, sources, strict=True):
            axes.set_title(f"\nitems of {truth}")
    figure.supxlabel("log p by the own prior − log p by the other prior (nats)")
    return figure, pd.concat(shown)[["prior", "sigma", "test_source", "against", "margin"]]


if __name__ == "__main__":
    plotting.program(__doc__, draw)
