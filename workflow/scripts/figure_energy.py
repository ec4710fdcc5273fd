"""Energy (minus log posterior) and residual along the steps of each sampler."""

import matplotlib.pyplot as plt
import pandas as pd
from audiopriors import plotting


def draw(settings, inputs):
    runs = settings["runs"]
    families = list(dict.fromkeys(family for family, _ in runs))
    methods = list(dict.fromkeys(method for _, method in runs))
    figure, panels = plt.subplots(
        2 * len(families), len(methods), figsize=(3.6 * len(methods), 4.6 * len(families)), sharex="col",
        squeeze=False, layout="constrained",
    )  # fmt: skip
    shown = []
    for axes in panels.flat:
        axes.set_axis_off()
    for (family, method), path in zip(runs, inputs, strict=True):
        first = 2 * families.index(family)
        column = panels[first : first + 2, methods.index(method)]
        trace = pd.read_parquet(path)
        trace["number"] = trace["level"] * (trace["step"].max() + 1) + trace["step"]
        trace["energy"] /= settings["frame"]
        for axes, quantity in zip(column, ("energy", "residual"), strict=True):
            axes.set_axis_on()
            quantiles = trace.groupby("number")[quantity].quantile([0.1, 0.5, 0.9]).unstack()
            axes.fill_between(quantiles.index, quantiles[0.1], quantiles[0.9], color="0.85")
            axes.plot(quantiles.index, quantiles[0.5], color="black", linewidth=1.2)
            for _, rows in trace.groupby("level"):
                axes.axvline(rows["number"].min(), color=plotting.PALETTE[0], linewidth=0.6, linestyle=":")
                if quantity == "energy":
                    axes.annotate(
                        f"σ={rows['sigma'].iloc[0]}",
                        (rows["number"].min(), 1),
                        xycoords=("data", "axes fraction"),
                        fontsize=6.5,
                        rotation=90,
                        va="top",
                        ha="left",
                        color=plotting.PALETTE[0],
                    )
            shown.append(quantiles.reset_index().assign(family=family, method=method, quantity=quantity))
        plotting.value_scale(column[0])
        column[1].set_ylim(bottom=0)
        column[0].set_title(f"{method.replace('_', ' ')}\n{family}")
        column[1].set_xlabel("step")
        column[1].tick_params(labelbottom=True)
        column[0].set_ylabel("energy\nnats/sample")
        column[1].set_ylabel("residual M − Σs\nrms")
    return figure, pd.concat(shown).rename(columns=str)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
