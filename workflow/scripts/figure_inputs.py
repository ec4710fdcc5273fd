"""Section 3.4: constants and Gaussian noise under each prior, beside its own source and what a density can give."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from audiopriors import plotting, tables
from audiopriors.columns import MEASURES


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    priors, sources, shown = settings["priors"], settings["sources"], []
    lines = [(prior, kind) for prior in priors for kind in ("constant", "normal")]
    figure, panels = plt.subplots(len(lines), 6, figsize=(17, 2.6 * len(lines)), squeeze=False, layout="constrained")
    for line, (prior, kind) in zip(panels, lines, strict=True):
        of_prior = table[table["prior"] == prior]
        levels = [level for level in settings["sigmas"] if (of_prior["prior_sigma"] == level).any()]
        measures = ["log_prob", "complexity_corrected", plotting.published_measure(table, prior)]
        for axes, (sigma, measure) in zip(
            line, [(end, measure) for end in (levels[0], levels[-1]) for measure in measures], strict=True
        ):
            if measure is None:
                plotting.empty(axes, f"{prior}: a density only")
                continue
            here = of_prior[(of_prior["measure"] == measure) & (of_prior["prior_sigma"] == sigma)]
            chosen = here[(here["data_sigma"] == "0") & here["test_source"].str.startswith(f"{kind}_")]
            chosen = chosen.assign(input=chosen["test_source"].str.split("_").str[1].astype(float)).sort_values("input")
            own = here[(here["test_source"] == here["prior_source"]) & (here["data_sigma"] == sigma)].set_index(
                "prior_source"
            )["mean"]
            for source, look in plotting.style(sources).items():
                rows = chosen[(chosen["prior_source"] == source) & np.isfinite(chosen["mean"])]
                plotting.intervals(axes, rows["input"], rows, label=source, **look)
                axes.axhline(own[source], color=look["color"], linewidth=0.8, linestyle=":")
            axes.set_xlim(-0.05, 1.05 * chosen["input"].max())
            if kind == "normal" and measure != "complexity_corrected":
                levels_of_noise = sorted(chosen["input"].unique())
                bound = [-0.5 * math.log(2 * math.pi * math.e * level**2) for level in levels_of_noise]
                axes.plot(
                    levels_of_noise, bound, "--", color="black", linewidth=1, label="bound of a density: −entropy"
                )
            if measure == "log_prob" and sigma != "0":
                bound = tables.most(float(sigma))
                axes.axhline(bound, color="black", linewidth=1, linestyle="-.", label="bound with noise σ: −½ log 2πσ²")
            if not np.isfinite(chosen["mean"]).any():
                axes.text(0.5, 0.5, "all −∞ (outside [−1, 1])", transform=axes.transAxes, ha="center", color="grey")
            plotting.value_scale(axes)
            label = {"constant": "constant input c", "normal": "noise input N(0, s²), s"}[kind]
            axes.set(xlabel=label, title=f"{MEASURES[measure]}\nprior σ = {sigma}")
            shown.append(chosen)
        line[0].set_ylabel(f"{prior}\nmean, nats/sample")
    figure.legend(*panels[1, 3].get_legend_handles_labels(), loc="outside upper center", ncols=len(sources) + 2)
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
