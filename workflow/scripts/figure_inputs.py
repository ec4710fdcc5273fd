"""Section 3.4: constants and Gaussian noise under each prior, against what a density can give."""

import math

import matplotlib.pyplot as plt
import pandas as pd
from audiopriors import plotting, tables


def draw(settings, inputs):
    table = tables.read_csv(inputs[0])
    table = table[(table["data_sigma"] == "0") & table["score"].isin(["log_prob", "latent_log_prob"])]
    families, sources, sigmas = list(table["family"].unique()), settings["sources"], settings["sigmas"]
    ends = [sigmas[0], sigmas[-1]]
    figure, panels = plt.subplots(
        2 * len(families), 4, figsize=(13, 5.6 * len(families)), squeeze=False, layout="constrained"
    )
    shown = []
    for number, (family, kind) in enumerate((family, kind) for family in families for kind in ("constant", "normal")):
        for axes, (score, sigma) in zip(
            panels[number], [(s, e) for e in ends for s in ("latent_log_prob", "log_prob")], strict=True
        ):
            chosen = table[
                (table["family"] == family) & (table["score"] == score) & (table["prior_sigma"] == sigma)
                & table["test"].str.startswith(f"{kind}_")
            ]  # fmt: skip
            chosen = chosen.assign(input=chosen["test"].str.split("_").str[1].astype(float)).sort_values("input")
            for source, look in plotting.style(sources).items():
                rows = chosen[chosen["prior"] == source]
                plotting.intervals(axes, rows["input"], rows, label=source, **look)
            if kind == "normal":
                levels = sorted(chosen["input"].unique())
                bound = [-0.5 * math.log(2 * math.pi * math.e * level**2) for level in levels]
                axes.plot(levels, bound, "--", color="black", linewidth=1, label="bound for a density: −entropy")
            plotting.value_scale(axes)
            label = {"constant": "constant input c", "normal": "noise input N(0, s²), s"}[kind]
            axes.set(xlabel=label, title=f"{plotting.SCORES[score]}\nprior σ = {sigma}")
            shown.append(chosen)
        panels[number, 0].set_ylabel(f"{family}\nmean score, nats/sample")
        panels[number, -1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    plotting.sns.despine()
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
