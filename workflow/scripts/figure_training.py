"""Training and held-out loss of every prior."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from audiopriors import plotting

TOGETHER, INK = "trained together", ["black", "0.6", "0.3"]  # a row, and its colours


def draw(settings, inputs):
    tables, joint = [], settings["joint_priors"]
    for path in inputs:
        prior, source, sigma, name = Path(path).parts[-4:]
        row, line = (TOGETHER, prior) if prior in joint else (prior, source)
        columns = {"prior": prior, "prior_source": source, "sigma": sigma, "seed": name.split(".")[0]}
        tables.append(pd.read_csv(path).assign(**columns, row=row, line=line))
    table = pd.concat(tables)
    table = table[table["held_out_loss"].notna()]
    priors, sigmas = list(table["row"].unique()), settings["sigmas"]
    look = plotting.style(settings["sources"]) | {name: {"color": INK[k % len(INK)]} for k, name in enumerate(joint)}
    figure, panels = plt.subplots(
        len(priors),
        len(sigmas),
        figsize=(2.4 * len(sigmas), 2.5 * len(priors)),
        sharey="row",
        squeeze=False,
        layout="constrained",
    )
    for row, prior in zip(panels, priors, strict=True):
        one_for_all = (table.loc[table["row"] == prior, "sigma"] == "all").all()
        for axes, sigma in zip(row, ["all", *sigmas[1:]] if one_for_all else sigmas, strict=True):
            for line in look:
                for _, curve in table[
                    (table["row"] == prior) & (table["line"] == line) & (table["sigma"] == sigma)
                ].groupby("seed"):
                    axes.plot(curve["step"], curve["loss"], color=look[line]["color"], linewidth=0.8, alpha=0.5)
                    axes.plot(
                        curve["step"],
                        curve["held_out_loss"],
                        color=look[line]["color"],
                        linewidth=1.2,
                        label=line,
                    )
            axes.set(title=f"σ = {sigma}", xlabel="step")
            if not axes.lines:
                plotting.empty(axes, "not trained")
        losses = table.loc[table["row"] == prior, "held_out_loss"]
        if one_for_all and losses.min() > 0:  # a squared error
            row[0].set_yscale("log")
        else:
            row[0].set_ylim(losses.min() - 0.3, max(losses.min() + 1, min(losses.max() + 0.3, losses.min() + 8)))
        kind = settings["families"].get(prior, "")
        plotting.label_row(row, f"{prior}\n{'squared error' if kind.startswith('score') else 'loss, nats/sample'}")
    handles = {}
    for axes in panels[:, -1]:
        handles |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    panels[0, -1].legend(
        handles.values(),
        handles.keys(),
        loc="center left",
        bbox_to_anchor=(1, 0.5),
        title="held out\n(pale: training)",
    )
    return figure, table


if __name__ == "__main__":
    plotting.program(__doc__, draw)
