"""A scored recording: the likelihood of each frame under every prior, and which prior likes it more than the others."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from audiopriors import plotting, tables


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    table = table[table["measure"] == "log_prob"]
    lines = list(table[["prior", "prior_sigma"]].drop_duplicates().itertuples(index=False))
    sources = settings["sources"]
    figure, panels = plt.subplots(1 + len(lines), 2, figsize=(11, 1.4 + 2 * len(lines)), sharex=True, squeeze=False,
                                  layout="constrained", height_ratios=[0.6, *[1] * len(lines)])  # fmt: skip
    frames = table.drop_duplicates("start")
    for axes in panels[0]:
        axes.plot(frames["start"], frames["level_db"], color="black", drawstyle="steps-post", linewidth=1)
        axes.set_ylabel("level (dB)")
    panels[0, 0].set_title("log p(x)")
    panels[0, 1].set_title("log p$_k$(x) − log mean$_j$ p$_j$(x)")
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
        line[0].set_ylabel(f"{prior}\nσ = {sigma}\nnats/sample", fontsize=8)
        ratios = pd.DataFrame(ratio, index=values.index, columns=sources)
        for quantity, of in (("log_prob", values), ("mixture_ratio", ratios)):
            shown.append(of.assign(prior=prior, prior_sigma=sigma, quantity=quantity).reset_index())
    for axes in panels[-1]:
        axes.set_xlabel("start of the frame (s)")
    figure.legend(*panels[1, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(sources))
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
