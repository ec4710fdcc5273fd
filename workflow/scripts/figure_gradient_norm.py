"""E ||grad log p_sigma||^2 against sigma: the thesis expects 1 / sigma^2."""

from audiopriors import plotting, tables
from matplotlib.ticker import NullFormatter


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    priors = settings["priors"]
    figure, panels = plotting.wrapped(len(priors), 3, 2.5, sharex=True, sharey=True)
    sigmas = [float(sigma) for sigma in settings["sigmas"] if sigma != "0"]
    shown = table.loc[table["prior"].isin(priors) & (table["prior_sigma"] != "0"), "mean"]
    span = [sigmas[0] / 1.5, 1.5 * sigmas[-1]]
    # An interval may reach far beyond all means.
    ends = (min(shown.min(), sigmas[-1] ** -2) / 3, 3 * max(shown.max(), sigmas[0] ** -2))
    for axes, prior in zip(panels.flat, priors, strict=False):
        for source, look in plotting.style(settings["sources"]).items():
            rows = table[(table["prior"] == prior) & (table["prior_source"] == source) & (table["prior_sigma"] != "0")]
            plotting.intervals(axes, rows["prior_sigma"].astype(float), rows, label=source, **look)
        axes.plot(span, [sigma**-2 for sigma in span], "--", color="black", linewidth=1, label="1 / σ²")
        axes.set(xscale="log", yscale="log", xlim=span, ylim=ends, title=plotting.title(settings, prior, 30))
        axes.xaxis.set_minor_formatter(NullFormatter())
        if len(sigmas) < 3:  # perhaps no power of ten is among them
            axes.set_xticks(sigmas, [f"{sigma:g}" for sigma in sigmas])
    plotting.label_lowest(panels, "σ of prior and data")
    figure.supylabel("mean of ‖∇ log p$_σ$(x)‖² / T")
    plotting.legend(figure, panels[0, 0])
    return figure, table


if __name__ == "__main__":
    plotting.program(__doc__, draw)
