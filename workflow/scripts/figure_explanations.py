"""Which explanations of a mix do samplers choose? Phases of two sources: exact draws, and each sampler's particles."""

import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
from audiopriors import files, plotting

LETTERS = 12  # of a line of a panel's title
DRAWS = 400  # shown of the exact posterior


def draw(settings, inputs):
    exact = {Path(path).stem: np.load(path) for path in inputs if path.endswith(".npy")}
    tables = [path for path in inputs if path.endswith(".parquet")]
    rows = files.read_rows([path for path in tables if not path.endswith(".particles.parquet")])
    particles = files.read_rows([path for path in tables if path.endswith(".particles.parquet")])
    learned = [prior for prior in particles["prior"].unique() if prior != settings["exact"]]
    particles = particles[particles["prior"] == (learned or [settings["exact"]])[0]]
    mixes, methods = list(rows["mix"].unique()), list(particles["method"].unique())
    figure, panels = plotting.grid(len(mixes), len(methods), 1.1, least=0.9, margin=1.3, sharex=True, sharey=True)
    shown = []
    for line, mix in zip(panels, mixes, strict=True):
        of_mix = rows[(rows["mix"] == mix) & (rows["replicate"] == 0)].set_index("item")["explanations"]
        item = of_mix.idxmax()
        phases = exact[mix][item, :, :2, 1]
        phases = phases[:: max(1, len(phases) // DRAWS)]
        for axes, method in zip(line, methods, strict=True):
            chosen = particles[
                (particles["mix"] == mix) & (particles["method"] == method) & (particles["item"] == item)
            ]
            if chosen.empty:
                plotting.empty(axes, "not sampled")
                continue
            axes.scatter(*phases.T, s=4, color="0.75", linewidths=0, label="exact draws")
            of_source = chosen.pivot(index="particle", columns="source", values="phase")
            axes.scatter(of_source[0], of_source[1], s=9, color=plotting.PALETTE[1], linewidths=0, label="particles")
            axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 1], yticks=[0, 1])
            shown.append(chosen[chosen["source"] < 2])
        plotting.name_row(line, plotting.title(settings, mix, plotting.LETTERS))
    for axes, method in zip(panels[0], methods, strict=True):
        axes.set_title("\n".join(textwrap.wrap(plotting.title(settings, method), LETTERS)), fontsize=plotting.SMALL)
    plotting.label_lowest(panels)
    figure.supxlabel("phase of the first source (cycles)")
    figure.supylabel("phase of the second source (cycles)")
    plotting.legend(figure, *panels.flat, markerscale=2)
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
