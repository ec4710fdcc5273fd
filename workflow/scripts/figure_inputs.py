"""Section 3.4: constants and Gaussian noise under each prior, beside its own source and what a density can give."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from audiopriors import plotting, tables


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    families, sources, shown = settings["families"], settings["sources"], []
    lines = [(family, kind) for family in families for kind in ("constant", "normal")]
    figure, panels = plt.subplots(len(lines), 6, figsize=(17, 2.6 * len(lines)), squeeze=False, layout="constrained")
    for line, (family, kind) in zip(panels, lines, strict=True):
        of_family = table[table["family"] == family]
        levels = [level for level in settings["sigmas"] if (of_family["prior_sigma"] == level).any()]
        scores = ["log_prob", "complexity_corrected", plotting.published_score(table, family)]
        for axes, (sigma, score) in zip(
            line, [(end, score) for end in (levels[0], levels[-1]) for score in scores], strict=True
        ):
            if score is None:
                plotting.empty(axes, f"{family}: a density only")
                continue
            here = of_family[(of_family["score"] == score) & (of_family["prior_sigma"] == sigma)]
            chosen = here[(here["data_sigma"] == "0") & here["test"].str.startswith(f"{kind}_")]
            chosen = chosen.assign(input=chosen["test"].str.split("_").str[1].astype(float)).sort_values("input")
            own = here[(here["test"] == here["prior"]) & (here["data_sigma"] == sigma)].set_index("prior")["mean"]
            for source, look in plotting.style(sources).items():
                rows = chosen[(chosen["prior"] == source) & np.isfinite(chosen["mean"])]
                plotting.intervals(axes, rows["input"], rows, label=source, **look)
                axes.axhline(own[source], color=look["color"], linewidth=0.8, linestyle=":")
            axes.set_xlim(-0.05, 1.05 * chosen["input"].max())
            if kind == "normal" and score != "complexity_corrected":
                levels_of_noise = sorted(chosen["input"].unique())
                bound = [-0.5 * math.log(2 * math.pi * math.e * level**2) for level in levels_of_noise]
                axes.plot(
                    levels_of_noise, bound, "--", color="black", linewidth=1, label="bound of a density: −entropy"
                )
            if not np.isfinite(chosen["mean"]).any():
                axes.text(0.5, 0.5, "all −∞ (outside [−1, 1])", transform=axes.transAxes, ha="center", color="grey")
            plotting.value_scale(axes)
            label = {"constant": "constant input c", "normal": "noise input N(0, s²), s"}[kind]
            axes.set(xlabel=label, title=f"{plotting.SCORES[score]}\nprior σ = {sigma}")
            shown.append(chosen)
        line[0].set_ylabel(f"{family}\nmean score, nats/sample")
    figure.legend(*panels[1, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(sources) + 1)
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
