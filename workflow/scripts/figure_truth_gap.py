"""How far each learned density is from the true one, in nats per sample, by noise level."""

import matplotlib.pyplot as plt
from audiopriors import plotting, tables


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    priors = list(table["prior"].unique())
    figure, panels = plt.subplots(
        1, len(priors), figsize=(3.9 * len(priors), 3.4), squeeze=False, sharey=True, layout="constrained"
    )
    levels = [sigma for sigma in settings["sigmas"] if sigma != "0"]
    for axes, prior in zip(panels[0], priors, strict=True):
        place = plotting.sigma_axis(axes, levels)
        for k, (source, look) in enumerate(plotting.style(settings["sources"]).items()):
            rows = table[(table["prior"] == prior) & (table["prior_source"] == source)]
            plotting.intervals(
                axes, rows["prior_sigma"].map(place) + 0.08 * (k - 1.5), rows, "gap_mean", label=source, **look
            )
        axes.axhline(0, color="black", linewidth=0.8, linestyle="--")
        axes.set(xlabel="σ of prior and data", title=prior, xlim=(-0.5, len(levels) - 0.5))
        axes.set_yscale("symlog", linthresh=0.1)
    panels[0, 0].set_ylabel("log p$_σ$ − log q, nats/sample")
    panels[0, 0].legend()
    return figure, table


if __name__ == "__main__":
    plotting.program(__doc__, draw)
