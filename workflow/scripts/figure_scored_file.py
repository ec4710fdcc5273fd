"""A scored recording: the likelihood of each frame under every prior, and which prior likes it more than the others.

Beside them, the likelihood within the frames: where in time each prior objects.
"""

import math

import numpy as np
import pandas as pd
from audiopriors import files, plotting, tables
from audiopriors.columns import MEASURES

COLUMNS = 600  # of the map: as many as can be told apart on a page


def within_frames(maps: pd.DataFrame, sources: list[str]) -> pd.DataFrame:
    """A column a source, of means over parts of frames: as many parts as can be told apart."""
    values = maps.pivot(index="start", columns="prior_source", values="value")[sources]
    together = np.arange(len(values)) // math.ceil(len(values) / COLUMNS)
    return values.groupby(together).mean().set_axis(values.index[np.unique(together, return_index=True)[1]])


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    table = table[table["measure"] == "log_prob"]
    lines = list(table[["prior", "prior_sigma"]].drop_duplicates().itertuples(index=False))
    sources = settings["sources"]
    maps = tables.members(files.read_rows(inputs[1:]))
    height = max(1.3, 0.4 + 0.2 * len(sources))
    figure, panels = plotting.grid(1 + len(lines), 3, height, margin=1.2, sharex=True)
    frames = table.drop_duplicates("start")
    for axes in panels[0]:
        axes.plot(frames["start"], frames["level_db"], color="black", drawstyle="steps-post", linewidth=1)
    plotting.name_row(panels[0], "level (dB)")
    end = table["start"].max() + settings["frame"] / settings["rate"]
    titles = ("log p(x)", f"ratio to the mean prior\n{MEASURES['mixture_ratio']}", "log p(x), split over time")
    for axes, title in zip(panels[0], titles, strict=True):
        axes.set_title(title)
    shown = []
    for line, (prior, sigma) in zip(panels[1:], lines, strict=True):
        chosen = table[(table["prior"] == prior) & (table["prior_sigma"] == sigma)]
        values = chosen.pivot(index="start", columns="prior_source", values="value")[sources]
        totals = values.to_numpy() * settings["frame"]
        ratio = (totals - np.logaddexp.reduce(totals, axis=1, keepdims=True) + np.log(len(sources))) / settings["frame"]
        for k, (source, look) in enumerate(plotting.style(sources).items()):
            look = {**look, "markersize": 3, "linewidth": 0.9, "markevery": max(1, len(values) // 25)}
            line[0].plot(values.index, values[source], label=source, **look)
            line[1].plot(values.index, ratio[:, k], **look)
        for axes in line[:2]:
            plotting.value_scale(axes)
        plotting.name_row(line, f"{plotting.title(settings, prior, plotting.LETTERS)}\nσ = {sigma}")
        ratios = pd.DataFrame(ratio, index=values.index, columns=sources)
        within = within_frames(maps[(maps["prior"] == prior) & (maps["prior_sigma"] == sigma)], sources)
        finite = within.to_numpy()[np.isfinite(within)]
        plotting.strips(line[2], within.to_numpy().T, sources, (0, end), np.quantile(finite, [0.05, 0.95]))
        figure.colorbar(line[2].images[0], ax=line[2], extend="both")
        for quantity, of in (("log_prob", values), ("mixture_ratio", ratios), ("log_prob_map", within)):
            shown.append(of.assign(prior=prior, prior_sigma=sigma, quantity=quantity).reset_index())
    figure.supxlabel("time (s)")
    figure.supylabel("nats/sample, but for the level")
    plotting.legend(figure, panels[1, 0])
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
