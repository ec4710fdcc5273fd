"""How fast a source's likelihood under its own prior falls as noise is added to the data."""

import numpy as np
from audiopriors import plotting, tables
from matplotlib.ticker import FixedLocator

LOWEST, TICKS = -2e4, [0, -100, -10000]  # nats/sample: where the axis ends, and its ticks


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    priors, sources = settings["priors"], settings["sources"]
    table = table[
        (table["measure"] == "log_prob") & (table["prior_source"] == table["test_source"]) & table["prior"].isin(priors)
    ]
    figure, panels = plotting.grid(len(priors), len(sources), 1.4, margin=1.5, sharex=True, sharey=True)
    shades = plotting.plt.get_cmap("viridis")
    means = table["mean"][np.isfinite(table["mean"])]
    for row, prior in zip(panels, priors, strict=True):
        for axes, source in zip(row, sources, strict=True):
            for place, sigma in enumerate(settings["sigmas"]):
                chosen = table[
                    (table["prior"] == prior) & (table["prior_source"] == source) & (table["prior_sigma"] == sigma)
                ]
                # A WaveNet without noise gives −∞ beyond [−1, 1]: no point there.
                chosen = chosen[np.isfinite(chosen["mean"])]
                chosen = chosen.assign(noise=chosen["data_sigma"].astype(float)).sort_values("noise")
                plotting.intervals(axes, chosen["noise"], chosen, color=shades(place / max(1, len(settings["sigmas"]))),
                                   marker=plotting.MARKERS[place % 8], label=f"σ = {sigma}")  # fmt: skip
            axes.set_xscale("symlog", linthresh=1e-3)
            axes.set_yscale("symlog", linthresh=10)
            axes.yaxis.set_major_locator(FixedLocator(TICKS))
            # An interval may reach far beyond all means.
            axes.set_ylim(max(2 * min(means.min(), -5), LOWEST), 3 * max(means.max(), 5))
        plotting.name_row(row, plotting.title(settings, prior, plotting.LETTERS))
    for axes, source in zip(panels[0], sources, strict=True):
        axes.set_title(source)
    figure.supxlabel("noise added (standard deviation)")
    figure.supylabel("log p(x) by the own prior, nats/sample")
    plotting.legend(figure, *panels.flat)
    return figure, table


if __name__ == "__main__":
    plotting.program(__doc__, draw)
