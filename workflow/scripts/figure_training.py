"""Training and held-out loss of every prior, a panel each of its models."""

from pathlib import Path

import numpy as np
import pandas as pd
from audiopriors import plotting

TOGETHER, INK = "trained together", ["black", "0.6", "0.3"]  # a row of the table, and its colours
COLUMNS = 6  # panels beside each other, at least


def draw(settings, inputs):
    tables, joint = [], settings["joint_priors"]
    for path in inputs:
        prior, source, sigma, name = Path(path).parts[-4:]
        row, line = (TOGETHER, prior) if prior in joint else (prior, source)
        columns = {"prior": prior, "prior_source": source, "sigma": sigma, "seed": name.split(".")[0]}
        tables.append(pd.read_csv(path).assign(**columns, row=row, line=line))
    table = pd.concat(tables)
    table = table[table["held_out_loss"].notna()]
    look = plotting.style(settings["sources"]) | {name: {"color": INK[k % len(INK)]} for k, name in enumerate(joint)}
    models = {row: list(rows["sigma"].unique()) for row, rows in table.groupby("row", sort=False)}
    columns = max(COLUMNS, *map(len, models.values()))
    places = in_lines({row: len(sigmas) for row, sigmas in models.items()}, columns)
    used = max(column + len(models[row]) for row, (_, column) in places.items())
    figure, panels = plotting.grid(1 + max(line for line, _ in places.values()), used, 2, margin=0.8)
    for row, sigmas in models.items():
        line, column = places[row]
        of_prior = panels[line, column : column + len(sigmas)]
        losses = table[table["row"] == row]
        for axes, sigma in zip(of_prior, sigmas, strict=True):
            for (name, _), curve in losses[losses["sigma"] == sigma].groupby(["line", "seed"], sort=False):
                axes.plot(curve["step"], curve["loss"], color=look[name]["color"], linewidth=0.8, alpha=0.5)
                label = plotting.title(settings, name) if name in joint else name
                axes.plot(curve["step"], curve["held_out_loss"], color=look[name]["color"], linewidth=1.4, label=label)
            axes.set_title("" if sigma == "all" else f"σ = {sigma}", fontsize=plotting.SMALL)
            axes.tick_params(labelleft=axes is of_prior[0])
            squared = settings["families"].get(row, "").startswith("score")
            end_axis(axes, losses["held_out_loss"], 0 if squared else 1)
        name = TOGETHER if row == TOGETHER else plotting.title(settings, row, plotting.LETTERS)
        of_prior[0].set_title(f"{name}\n{of_prior[0].get_title()}".strip(), fontsize=plotting.SMALL)
    for axes in panels.flat:
        if not axes.lines:
            plotting.empty(axes, "")
    figure.supxlabel("step")
    figure.supylabel("loss: nats/sample; of score priors the squared error")
    plotting.legend(figure, *panels.flat)
    return figure, table


def in_lines(lengths: dict[str, int], columns: int) -> dict[str, tuple[int, int]]:
    """Line and column of the first panel of each: one after the other, and on a new line where there is no room."""
    places, line, column = {}, 0, 0
    for name, length in lengths.items():
        if column + length > columns:
            line, column = line + 1, 0
        places[name] = line, column
        column += length
    return places


def end_axis(axes, losses: pd.Series, least: float) -> None:
    """The same axis for all models of a prior, over at least so much; the first steps are cut off."""
    low, span = losses.min(), np.clip(np.ptp(losses), least, 8)
    axes.set_ylim(low - 0.1 * span, low + 1.05 * span)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
