"""Does the misfit, which does not know the truth, tell failures? Every particle's worst source against its misfit."""

import matplotlib.pyplot as plt
from audiopriors import files, plotting
from matplotlib.ticker import NullFormatter


def draw(settings, inputs):
    rows = files.read_rows(inputs)
    shown = [(key, group) for key, group in rows.groupby(["method", "prior"], sort=False)]
    figure, panels = plt.subplots(
        1, len(shown), figsize=(3.6 * len(shown), 3.6), squeeze=False, sharey=True, layout="constrained"
    )
    mixes = list(rows["mix"].unique())
    for axes, ((method, prior), group) in zip(panels[0], shown, strict=True):
        for number, mix in enumerate(mixes):
            some = group[group["mix"] == mix]
            axes.scatter(
                some["misfit"], some["worst_si_sdr"], s=9, alpha=0.7, color=plotting.PALETTE[number],
                marker=plotting.MARKERS[number], label=mix.replace("_", " "), linewidths=0,
            )  # fmt: skip
        if group["accept"].iloc[0] > 0:
            axes.axvline(group["accept"].iloc[0], color="black", linewidth=0.8, linestyle="--")
        axes.axhline(10, color="grey", linewidth=0.8, linestyle=":")
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())  # such labels overlap where a panel spans less than a decade
        axes.set(title=f"{method.replace('_', ' ')}\n{prior}", xlabel="misfit (accepted up to the dashed line)")
    panels[0, 0].set_ylabel("SI-SDR of the worst source (dB)")
    panels[0, 0].legend(title="mix")
    return figure, rows


if __name__ == "__main__":
    plotting.program(__doc__, draw)
