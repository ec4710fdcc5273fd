"""The evidence lower bound of held-out mixes and its parts, along the training of each posterior model."""

import matplotlib.pyplot as plt
import pandas as pd
from audiopriors import plotting

PARTS = {
    "elbo": "bound",
    "log_likelihood": "log p(mix | sources)",
    "log_prior": "log p(sources)",
    "entropy": "−log q(sources | mix)",
}


def draw(settings, inputs):
    names = settings["posteriors"]
    table = pd.concat([pd.read_csv(path).assign(posterior=name) for name, path in zip(names, inputs, strict=True)])
    table["elbo"] = table[list(PARTS)[1:]].sum(axis=1)
    figure, panels = plt.subplots(1, len(PARTS), figsize=(2.7 * len(PARTS), 2.6), squeeze=False, layout="constrained")
    for axes, (part, title) in zip(panels[0], PARTS.items(), strict=True):
        for look, name in zip(plotting.style(names).values(), names, strict=True):
            of_one = table[table["posterior"] == name]
            label = name.removeprefix("posterior_").replace("_", " ")
            done = 100 * of_one["step"] / of_one["step"].max()  # as trainings differ in length
            axes.plot(done, of_one[part], label=label, markersize=3, linewidth=1.2, **look)
        axes.set(title=title, xlabel="% of the training")
        plotting.value_scale(axes)
    panels[0, 0].set_ylabel("nats/sample")
    panels[0, -1].legend(loc="center left", bbox_to_anchor=(1, 0.5), title="objective")
    return figure, table


if __name__ == "__main__":
    plotting.program(__doc__, draw)
