"""SI-SDR of every method and reference, per source, with the interval of the median."""

import matplotlib.pyplot as plt
from audiopriors import plotting, tables


def draw(settings, inputs):
    table = tables.read_csv(inputs[0])
    mixes = list(table["mix"].unique())
    figure, panels = plt.subplots(
        1, len(mixes), figsize=(5.2 * len(mixes), 3.6), squeeze=False, sharey=True, layout="constrained"
    )
    for axes, mix in zip(panels[0], mixes, strict=True):
        rows = table[table["mix"] == mix]
        methods = list(rows.groupby(["method", "family"], sort=False).groups)
        for place, (method, family) in enumerate(methods):
            for k, (source, look) in enumerate(plotting.style(settings["sources"]).items()):
                one = rows[(rows["method"] == method) & (rows["family"] == family) & (rows["source"] == source)]
                if len(one):
                    label = source if place == 0 else None
                    plotting.intervals(
                        axes,
                        [place + 0.15 * (k - 1.5)],
                        one,
                        "si_sdr_median",
                        linestyle="none",
                        label=label,
                        **look,
                    )
        names = [
            method.replace("_", " ") + ("" if family == "reference" else f"\n{family}") for method, family in methods
        ]
        axes.set_xticks(range(len(methods)), names, rotation=30, ha="right", rotation_mode="anchor")
        axes.axhline(0, color="grey", linewidth=0.8, linestyle=":")
        axes.set_title(f"{mix.replace('+', ' + ')}, n = {rows['n'].max()} mixes")
    panels[0, 0].set_ylabel("median SI-SDR (dB, at most 60)")
    panels[0, 0].legend(loc="upper right")
    return figure, table


if __name__ == "__main__":
    plotting.program(__doc__, draw)
