"""How far each learned density is from the true one, in nats per sample, by noise level."""

from audiopriors import plotting, tables


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    joint = settings["joint_priors"]
    priors = [prior for prior in table["prior"].unique() if prior not in joint]
    figure, panels = plotting.wrapped(len(priors), 3, 2.5, sharex=True, sharey=True)
    levels = [sigma for sigma in settings["sigmas"] if sigma != "0"]
    for axes, prior in zip(panels.flat, priors, strict=False):
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
        axes.set(title=plotting.title(settings, prior, 30), xlim=(-0.5, len(levels) - 0.5))
        axes.set_yscale("symlog", linthresh=0.1)
    plotting.label_lowest(panels, "σ of prior and data")
    figure.supylabel("log p$_σ$ − log q, nats/sample")
    plotting.legend(figure, panels[0, 0])
    return figure, table


if __name__ == "__main__":
    plotting.program(__doc__, draw)
