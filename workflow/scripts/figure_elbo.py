"""The evidence lower bound of held-out mixes and its parts, along the training of each posterior model."""

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
    figure, panels = plotting.grid(1, len(PARTS), 2.4, margin=1.4)
    for axes, (part, title) in zip(panels[0], PARTS.items(), strict=True):
        for look, name in zip(plotting.style(names).values(), names, strict=True):
            of_one = table[table["posterior"] == name]
            done = 100 * of_one["step"] / of_one["step"].max()  # as trainings differ in length
            axes.plot(done, of_one[part], label=plotting.title(settings, name), markersize=3, linewidth=1.2, **look)
        axes.set(title=title, xlabel="% of the training")
        plotting.value_scale(axes)
    panels[0, 0].set_ylabel("nats/sample")
    plotting.legend(figure, panels[0, 0], ncols=3)
    return figure, table


if __name__ == "__main__":
    plotting.program(__doc__, draw)
