"""SI-SDR of every method and reference, per source, with the interval of the median."""

import pandas as pd
from audiopriors import plotting, tables


def draw(settings, inputs):
    table = tables.read_csv(inputs[0])
    first = settings["mix"]["name"]
    groups = {
        " + ".join(settings["mix"]["sources"]): table[table["mix"] == first],
        "other mixes": table[table["mix"] != first],
    }
    groups = {name: rows for name, rows in groups.items() if len(rows)}
    lines = {name: in_order(rows, settings["priors"], first) for name, rows in groups.items()}
    most = max(map(len, lines.values()))
    figure, panels = plotting.plt.subplots(
        1, len(groups), figsize=(plotting.WIDTH if len(groups) > 1 else 7.5, 1.3 + 0.26 * most), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for axes, (title, rows) in zip(panels[0], groups.items(), strict=True):
        for place, (kind, mix, prior, method) in enumerate(lines[title]):
            if kind == "method":
                chosen = rows[(rows["mix"] == mix) & (rows["method"] == method) & (rows["prior"] == prior)]
                medians(axes, chosen, place, settings["sources"])
        names = [name_of(line, rows, settings) for line in lines[title]]
        axes.set_yticks(range(len(names)), names, fontsize=plotting.SMALL)
        for label, tick, (kind, *_) in zip(axes.get_yticklabels(), axes.yaxis.get_major_ticks(), lines[title],
                                           strict=True):  # fmt: skip
            label.set_fontweight("normal" if kind == "method" else "bold")
            tick.tick1line.set_visible(kind == "method")
        axes.set_ylim(most - 0.4, -0.6)
        axes.axvline(0, color="grey", linewidth=0.8, linestyle=":")
        axes.set(title=title, xlabel="median SI-SDR (dB, at most 60)")
    plotting.legend(figure, *panels.flat)
    return figure, table


def in_order(rows: pd.DataFrame, priors: list[str], first: str) -> list[tuple[str, str, str, str]]:
    """Lines of (kind, mix, prior, method): a line names a `mix`, or a `prior`, whose methods follow.

    The first mix is not named. References come first.
    """
    places = {prior: place for place, prior in enumerate(["reference", *priors])}
    mixes = list(rows["mix"].unique())
    runs = sorted(
        rows.groupby(["mix", "prior", "method"], sort=False).groups,
        key=lambda run: (mixes.index(run[0]), places.get(run[1], len(places))),
    )
    lines, before = [], ("", "")
    for mix, prior, method in runs:
        if mix != before[0] and mix != first:
            lines.append(("mix", mix, "", ""))
        if (mix, prior) != before and (prior != "reference" or mix == first):
            lines.append(("prior", mix, prior, ""))
        lines.append(("method", mix, prior, method))
        before = (mix, prior)
    return lines


def name_of(line: tuple[str, str, str, str], rows: pd.DataFrame, settings: dict) -> str:
    """The name of a mix or prior, or of a method with its number of mixes."""
    kind, mix, prior, method = line
    if kind == "mix":
        return f"— {plotting.title(settings, mix)} —"
    if kind == "prior":
        return "references" if prior == "reference" else plotting.title(settings, prior)
    count = rows.loc[(rows["mix"] == mix) & (rows["prior"] == prior) & (rows["method"] == method), "n"].iloc[0]
    return f"{plotting.title(settings, method)} ({count})"


def medians(axes, rows: pd.DataFrame, place: int, sources: list[str]) -> None:
    """A method's median of each source on its line."""
    for k, (source, look) in enumerate(plotting.style(sources).items()):
        one = rows[rows["source"] == source]
        if len(one):
            value = one["si_sdr_median"]
            axes.errorbar(
                value, [place + 0.17 * (k - 1.5)], xerr=[value - one["low"], one["high"] - value], capsize=1.5,
                markersize=4, linestyle="none", label=source, **look,
            )  # fmt: skip


if __name__ == "__main__":
    plotting.program(__doc__, draw)
