"""What every prior leaves of the noise in its own source, against the noise, and the least that can be left."""

import matplotlib.pyplot as plt
from audiopriors import plotting, tables

METHODS = {"tweedie": {"linestyle": "-"}, "langevin": {"linestyle": "--", "fillstyle": "none"}}


def draw(settings, inputs):
    table = tables.read_csv(inputs[0])
    priors, sources = settings["priors"], settings["sources"]
    table = table[table["prior"].isin(priors)]
    levels = sorted(table["data_sigma"].unique(), key=float)
    # In units of the noise's power: 1 is left by an estimate that changes nothing.
    shares = table[["error", "error_low", "error_high"]].div(table["data_sigma"].astype(float) ** 2, axis=0)
    least = shares["error"].min() / 4  # where the axis ends: an interval may reach 0
    table = table.assign(left=shares["error"], low=shares["error_low"].clip(lower=least), high=shares["error_high"])
    figure, panels = plt.subplots(
        1, len(sources), figsize=(2.9 * len(sources) + 1.2, 3.6), squeeze=False, sharey=True, layout="constrained"
    )
    shades = plt.get_cmap("viridis")
    for axes, source in zip(panels[0], sources, strict=True):
        place = plotting.sigma_axis(axes, levels)
        for k, prior in enumerate(priors):
            exact = settings["families"][prior] == "exact"
            colour = "black" if exact else shades(0.85 * k / max(1, len(priors) - 1))
            for method, line in METHODS.items():
                chosen = table[
                    (table["prior"] == prior) & (table["prior_source"] == source) & (table["method"] == method)
                ]
                if len(chosen):
                    chosen = chosen.sort_values("data_sigma", key=lambda column: column.map(place))
                    label = f"{prior}: the limit" if exact else prior + ", Langevin" * (method == "langevin")
                    x = chosen["data_sigma"].map(place) + 0.06 * (k - len(priors) / 2)
                    look = {"color": colour, "marker": plotting.MARKERS[k % 8], **line}
                    plotting.intervals(axes, x, chosen, "left", label=label, **look)
        axes.axhline(1, color="grey", linewidth=0.8, linestyle=":")
        axes.set_yscale("log")
        axes.set(title=source, xlabel="σ of the noise")
        axes.tick_params(axis="x", labelrotation=45)
    panels[0, 0].set_ylim(bottom=least)
    panels[0, 0].set_ylabel("mean square error / σ²")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside right center")
    return figure, table


if __name__ == "__main__":
    plotting.program(__doc__, draw)
