"""Does the misfit, which does not know the truth, tell failures? Every particle's worst source against its misfit."""

from audiopriors import files, plotting
from matplotlib.ticker import NullFormatter


def draw(settings, inputs):
    rows = files.read_rows(inputs)
    shown = [(key, group) for key, group in rows.groupby(["method", "prior"], sort=False)]
    figure, panels = plotting.wrapped(len(shown), 3, 3, margin=1.2, sharex=True, sharey=True)
    mixes = list(rows["mix"].unique())
    for axes, ((method, prior), group) in zip(panels.flat, shown, strict=False):
        for number, mix in enumerate(mixes):
            some = group[group["mix"] == mix]
            axes.scatter(
                some["misfit"], some["worst_si_sdr"], s=12, alpha=0.7, color=plotting.PALETTE[number],
                marker=plotting.MARKERS[number], label=plotting.title(settings, mix), linewidths=0,
            )  # fmt: skip
        if group["accept"].iloc[0] > 0:
            axes.axvline(group["accept"].iloc[0], color="black", linewidth=0.8, linestyle="--")
        axes.axhline(10, color="grey", linewidth=0.8, linestyle=":")
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())  # such labels overlap where a panel spans less than a decade
        axes.set_title(f"{plotting.title(settings, method)}\n{plotting.title(settings, prior)}")
    plotting.label_lowest(panels, "misfit")
    figure.supylabel("SI-SDR of the worst source (dB)")
    plotting.legend(figure, *panels.flat, markerscale=2)
    return figure, rows


if __name__ == "__main__":
    plotting.program(__doc__, draw)
