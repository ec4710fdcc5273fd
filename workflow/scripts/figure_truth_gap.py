"""How far each learned density is from the true one, in nats per sample, by noise level."""

import matplotlib.pyplot as plt
from audiopriors import plotting, tables


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    joint = settings["joint_priors"]
    priors = [prior for prior in table["prior"].unique() if prior not in joint]
    figure, panels = plt.subplots(
        1, len(priors), figsize=(3.9 * len(priors), 3.4), squeeze=False, sharey=True, layout="constrained"
    )
    levels = [sigma for sigma in settings["sigmas"] if sigma != "0"]
    for axes, prior in zip(panels[0], priors, strict=True):
        place = plotting.sigma_axis(axes, levels)
        for k, (source, look) in enumerate(plotting.style(settings["sources"]).items()):
            for number, name in enumerate([prior, *(name for name in joint if joint[name] == prior)]):
                rows = table[(table["prior"] == name) & (table["prior_source"] == source)]
                shift, own = 0.08 * (k - 1.5) + 0.2 * number, number == 0
                plotting.intervals(
                    axes, rows["prior_sigma"].map(place) + shift, rows, "gap_mean", label=source if own else None,
                    fillstyle="full" if own else "none", **look,
                )  # fmt: skip
        axes.axhline(0, color="black", linewidth=0.8, linestyle="--")
        axes.set(xlabel="σ of prior and data", title=prior, xlim=(-0.5, len(levels) - 0.5))
        axes.set_yscale("symlog", linthresh=0.1)
    panels[0, 0].set_ylabel("log p$_σ$ − log q, nats/sample")
    panels[0, 0].legend()
    return figure, table


if __name__ == "__main__":
    plotting.program(__doc__, draw)
