"""How fast a source's likelihood under its own prior falls as noise is added to the data."""

import matplotlib.pyplot as plt
import numpy as np
from audiopriors import plotting, tables


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    priors, sources = settings["priors"], settings["sources"]
    table = table[
        (table["measure"] == "log_prob") & (table["prior_source"] == table["test_source"]) & table["prior"].isin(priors)
    ]
    figure, panels = plt.subplots(len(priors), len(sources), figsize=(3 * len(sources), 2.8 * len(priors)),
                                  sharex=True, sharey=True, squeeze=False, layout="constrained")  # fmt: skip
    shades = plt.get_cmap("viridis")
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
                                   marker=plotting.MARKERS[place % 8], label=f"prior σ = {sigma}")  # fmt: skip
            axes.set_xscale("symlog", linthresh=1e-3)
            axes.set_yscale("symlog", linthresh=10)
            axes.set(title=f"{source} under its own prior", xlabel="noise added (std. dev.)")
        row[0].set_ylabel(f"{prior}\nlog p(x), nats/sample")
    panels[0, -1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure, table


if __name__ == "__main__":
    plotting.program(__doc__, draw)
