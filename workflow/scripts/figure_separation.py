"""SI-SDR of every method and reference, per source, with the interval of the median."""

import matplotlib.pyplot as plt
from audiopriors import plotting, tables


def draw(settings, inputs):
    table = tables.read_csv(inputs[0])
    first = settings["mix"]["name"]
    groups = {first: table[table["mix"] == first], "other mixes": table[table["mix"] != first]}
    groups = {name: rows for name, rows in groups.items() if len(rows)}
    lines = {name: list(rows.groupby(["mix", "method", "prior"], sort=False).groups) for name, rows in groups.items()}
    figure, panels = plt.subplots(
        1, len(groups), figsize=(6.2 * len(groups), 0.9 + 0.3 * max(map(len, lines.values()))), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for axes, (title, rows) in zip(panels[0], groups.items(), strict=True):
        names = []
        for place, (mix, method, prior) in enumerate(lines[title]):
            line = rows[(rows["mix"] == mix) & (rows["method"] == method) & (rows["prior"] == prior)]
            for k, (source, look) in enumerate(plotting.style(settings["sources"]).items()):
                one = line[line["source"] == source]
                if len(one):
                    value = one["si_sdr_median"]
                    axes.errorbar(
                        value, [place + 0.15 * (k - 1.5)], xerr=[value - one["low"], one["high"] - value], capsize=2,
                        markersize=4, linestyle="none", label=source, **look,
                    )  # fmt: skip
            name = method.replace("_", " ") + ("" if prior == "reference" else f", {prior}")
            of_mix = "" if title == first else f"{mix.replace('_', ' ')}: "
            names.append(f"{of_mix}{name} ({line['n'].iloc[0]})")
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.axvline(0, color="grey", linewidth=0.8, linestyle=":")
        shown = " + ".join(settings["mix"]["sources"]) if title == first else title
        axes.set(title=f"{shown} (number of mixes)", xlabel="median SI-SDR (dB, at most 60)")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    figure.legend(unique.values(), unique.keys(), loc="outside upper center", ncols=len(unique))
    return figure, table


if __name__ == "__main__":
    plotting.program(__doc__, draw)
