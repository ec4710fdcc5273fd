"""SI-SDR of every method and reference, per source, with the interval of the median."""

import matplotlib.pyplot as plt
from audiopriors import plotting, tables


def draw(settings, inputs):
    table = tables.read_csv(inputs[0])
    mixes = list(table["mix"].unique())
    figure, panels = plt.subplots(
        1,
        len(mixes),
        figsize=(5.2 * len(mixes), 0.5 + 0.034 * len(table)),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    for axes, mix in zip(panels[0], mixes, strict=True):
        rows = table[table["mix"] == mix]
        methods = list(rows.groupby(["method", "family"], sort=False).groups)
        for place, (method, family) in enumerate(methods):
            for k, (source, look) in enumerate(plotting.style(settings["sources"]).items()):
                one = rows[(rows["method"] == method) & (rows["family"] == family) & (rows["source"] == source)]
                if len(one):
                    value = one["si_sdr_median"]
                    axes.errorbar(
                        value, [place + 0.15 * (k - 1.5)], xerr=[value - one["low"], one["high"] - value], capsize=2,
                        markersize=4, linestyle="none", label=source if place == 0 else None, **look,
                    )  # fmt: skip
        names = [
            method.replace("_", " ") + ("" if family == "reference" else f", {family}") for method, family in methods
        ]
        axes.set_yticks(range(len(methods)), names)
        axes.axvline(0, color="grey", linewidth=0.8, linestyle=":")
        axes.set(
            title=f"{mix.replace('+', ' + ')}, n = {rows['n'].max()} mixes", xlabel="median SI-SDR (dB, at most 60)"
        )
    panels[0, 0].invert_yaxis()
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(settings["sources"]))
    return figure, table


if __name__ == "__main__":
    plotting.program(__doc__, draw)
