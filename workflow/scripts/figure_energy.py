"""Energy (minus log posterior) and residual along the steps of each sampler."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from audiopriors import files, plotting

COLUMNS = 5
LABELS = 8  # levels that are named


def draw(settings, inputs):
    runs = settings["runs"]
    lines = -(-len(runs) // COLUMNS)
    columns = min(COLUMNS, len(runs))
    figure, panels = plt.subplots(
        2 * lines, columns, figsize=(3.2 * columns, 4.4 * lines), squeeze=False, layout="constrained"
    )
    shown = []
    for axes in panels.flat:
        axes.set_axis_off()
    for number, ((prior, method), path) in enumerate(zip(runs, inputs, strict=True)):
        line, place = divmod(number, COLUMNS)
        column = panels[2 * line : 2 * line + 2, place]
        trace = files.read_rows([path])
        trace["number"] = trace["level"] * (trace["step"].max() + 1) + trace["step"]
        trace["energy"] /= settings["frame"]
        levels = trace.groupby("level")[["number", "sigma"]].first()
        named = np.unique(np.linspace(0, len(levels) - 1, LABELS).round())
        for axes, quantity in zip(column, ("energy", "residual"), strict=True):
            if trace[quantity].isna().all():
                plotting.empty(axes, "log p is not computed\nin each step")
                continue
            axes.set_axis_on()
            quantiles = trace.groupby("number")[quantity].quantile([0.1, 0.5, 0.9]).unstack()
            axes.fill_between(quantiles.index, quantiles[0.1], quantiles[0.9], color="0.85")
            axes.plot(quantiles.index, quantiles[0.5], color="black", linewidth=1.2)
            for level, (start, sigma) in levels.iterrows():
                if level in named:
                    axes.axvline(start, color=plotting.PALETTE[0], linewidth=0.6, linestyle=":")
                    if quantity == "residual":
                        axes.annotate(
                            f"σ={sigma:.2g}", (start, 1), xycoords=("data", "axes fraction"), fontsize=6.5,
                            rotation=90, va="top", ha="left", color=plotting.PALETTE[0],
                        )  # fmt: skip
            shown.append(quantiles.reset_index().assign(prior=prior, method=method, quantity=quantity))
        if column[0].axison:
            plotting.value_scale(column[0])
        column[1].set_ylim(bottom=0)
        column[0].set_title(f"{method.replace('_', ' ')}\n{prior}")
        column[1].set_xlabel("step")
        if place == 0:
            column[0].set_ylabel("energy\nnats/sample")
            column[1].set_ylabel("residual M − Σs\nrms")
    return figure, pd.concat(shown).rename(columns=str)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
