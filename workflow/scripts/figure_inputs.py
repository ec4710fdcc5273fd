"""Section 3.4: constants and Gaussian noise under each prior, beside its own source and what a density can give."""

import math

import numpy as np
import pandas as pd
from audiopriors import plotting, tables

KINDS = {"constant": "constant c", "normal": "noise N(0, s²)"}
ENTROPY, BOUND = "−entropy of N(0, s²)", "−½ log 2πσ²"  # no density is above them


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    table = table[table["measure"] == "log_prob"]
    priors, sources, shown = settings["priors"], settings["sources"], []
    figure, panels = plotting.grid(len(priors), 4, 1.55, margin=1.5, sharex="col")
    for line, prior in zip(panels, priors, strict=True):
        of_prior = table[table["prior"] == prior]
        levels = [level for level in settings["sigmas"] if (of_prior["prior_sigma"] == level).any()]
        ends = [levels[0] if len(levels) > 1 else None, levels[-1]]
        for axes, (sigma, kind) in zip(line, [(sigma, kind) for sigma in ends for kind in KINDS], strict=True):
            if sigma is None:
                plotting.empty(axes, "one noise level only")
                continue
            here = of_prior[of_prior["prior_sigma"] == sigma]
            chosen = here[(here["data_sigma"] == "0") & here["test_source"].str.startswith(f"{kind}_")]
            chosen = chosen.assign(input=chosen["test_source"].str.split("_").str[1].astype(float)).sort_values("input")
            own = here[(here["test_source"] == here["prior_source"]) & (here["data_sigma"] == sigma)]
            under_priors(axes, chosen, own.set_index("prior_source")["mean"], sources)
            highest = bounds(axes, kind, sigma, sorted(chosen["input"].unique()))
            plotting.end_axis(axes, [*chosen["mean"], *own["mean"], *highest])
            axes.set_title(f"σ = {sigma}", fontsize=plotting.SMALL, pad=2)
            shown.append(chosen)
        plotting.name_row(line, plotting.title(settings, prior, plotting.LETTERS))
    for column, label in zip(panels.T, 2 * list(KINDS.values()), strict=True):
        plotting.label_lowest(column[:, None], label)
    figure.supylabel("mean log p(x), nats/sample")
    plotting.legend(figure, *panels.flat, ncols=len(sources) + 2)
    return figure, pd.concat(shown)


def under_priors(axes, table: pd.DataFrame, own: pd.Series, sources: list[str]) -> None:
    """A line a source's prior over the inputs, and dotted the mean of its own source."""
    for source, look in plotting.style(sources).items():
        rows = table[(table["prior_source"] == source) & np.isfinite(table["mean"])]
        plotting.intervals(axes, rows["input"], rows, label=source, **look)
        axes.axhline(own[source], color=look["color"], linewidth=0.8, linestyle=":")
    if not np.isfinite(table["mean"]).any():
        axes.text(0.5, 0.5, "all −∞\n(outside [−1, 1])", transform=axes.transAxes, ha="center", va="center",
                  color="grey", fontsize=plotting.SMALL)  # fmt: skip
    axes.set_xlim(-0.05, 1.05 * table["input"].max())


def bounds(axes, kind: str, sigma: str, inputs: list[float]) -> list[float]:
    """What no density is above: in the mean of noise, and, of data with noise, for any input. Returns the values."""
    entropy = []
    if kind == "normal":
        entropy = [-0.5 * math.log(2 * math.pi * math.e * level**2) for level in inputs]
        axes.plot(inputs, entropy, "--", color="black", linewidth=1, label=ENTROPY)
    if sigma == "0":
        return entropy
    axes.axhline(tables.most(float(sigma)), color="black", linewidth=1, linestyle="-.", label=BOUND)
    return [*entropy, tables.most(float(sigma))]


if __name__ == "__main__":
    plotting.program(__doc__, draw)
