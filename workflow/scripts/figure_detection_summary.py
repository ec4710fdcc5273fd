"""Detection by each measure and noise level: the worst pair of sources, near pairs and far ones."""

import pandas as pd
from audiopriors import plotting, tables
from audiopriors.columns import MEASURES

LEVELS = 3  # noise levels shown, evenly spread
SIZE = 6  # points, of markers
LOOKS = {
    "auroc_far": {"label": "mean of far pairs", "marker": "s", "color": plotting.PALETTE[5]},
    "auroc_near": {"label": "mean of near pairs", "marker": "o", "color": plotting.PALETTE[0]},
    "worst": {"label": "worst pair", "marker": "X", "color": plotting.PALETTE[1]},
}


def shown_levels(sigmas: list[str]) -> list[str]:
    """At most LEVELS of the noise levels above 0 (0 if it is the only one), the least and the greatest among them."""
    above = [sigma for sigma in sigmas if sigma != "0"] or sigmas
    places = {round(k * (len(above) - 1) / max(1, LEVELS - 1)) for k in range(LEVELS)}
    return [above[place] for place in sorted(places)]


def in_order(table: pd.DataFrame, prior: str) -> list[str]:
    """The prior's measures from the top: those of one class, then ratios, each in the order of MEASURES."""
    kinds = table[table["prior"] == prior].set_index("measure")["kind"].to_dict()
    return sorted(kinds, key=lambda measure: (kinds[measure], list(MEASURES).index(measure)))


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    levels = shown_levels(settings["sigmas"])
    table = table[(table["prior_sigma"] == table["data_sigma"]) & table["data_sigma"].isin(levels)]
    priors = [prior for prior in settings["priors"] if (table["prior"] == prior).any()]
    measures = {prior: in_order(table, prior) for prior in priors}
    heights = [len(measures[prior]) for prior in priors]
    figure, panels = plotting.grid(
        len(priors), len(levels), 0.3 * sum(heights) / len(priors) + 0.3, margin=1.3, sharex=True,
        gridspec_kw={"height_ratios": heights},
    )  # fmt: skip
    for line, prior in zip(panels, priors, strict=True):
        for axes, level in zip(line, levels, strict=True):
            _panel(axes, table[(table["prior"] == prior) & (table["data_sigma"] == level)], measures[prior])
        for number, axes in enumerate(line):  # measures are named once
            axes.tick_params(labelleft=number == 0)
        line[-1].annotate(plotting.title(settings, prior, plotting.LETTERS), (1, 0.5), (8, 0), va="center",
                          xycoords="axes fraction", textcoords="offset points")  # fmt: skip
    for axes, level in zip(panels[0], levels, strict=True):
        axes.set_title(f"σ = {level}")
    plotting.label_lowest(panels, "AUROC")
    plotting.legend(figure, panels[0, 0])
    return figure, table


def _panel(axes, rows: pd.DataFrame, measures: list[str]) -> None:
    """One prior at one noise level: a line for each measure, ratios below a thin line."""
    names = [" ".join(MEASURES[name].split()) for name in measures]
    axes.set_yticks(range(len(measures)), names, fontsize=plotting.SMALL)
    axes.set(ylim=(len(measures) - 0.4, -0.6))
    if rows.empty:
        plotting.empty(axes, "not trained")
        return
    places = rows["measure"].map(measures.index)
    for shift, (column, look) in zip((-0.22, 0, 0.22), LOOKS.items(), strict=True):
        ends = [rows[column] - rows[f"{column}_low"], rows[f"{column}_high"] - rows[column]]
        axes.errorbar(rows[column], places + shift, xerr=[end.clip(lower=0) for end in ends], capsize=2,
                      markersize=SIZE, linewidth=1.2, linestyle="none", **look)  # fmt: skip
    axes.axvline(0.5, color="grey", linewidth=0.8, linestyle=":")
    axes.axhline(sum(not name.endswith("_ratio") for name in measures) - 0.5, color="0.6", linewidth=0.8)
    axes.set(xlim=(-0.04, 1.04), xticks=[0, 0.5, 1])


if __name__ == "__main__":
    plotting.program(__doc__, draw)
