"""E ||grad log p_sigma||^2 against sigma: the thesis expects 1 / sigma^2."""

import matplotlib.pyplot as plt
from audiopriors import plotting, tables


def draw(settings, inputs):
    table = tables.members(tables.read_csv(inputs[0]))
    priors = settings["priors"]
    figure, panels = plt.subplots(
        1, len(priors), figsize=(3.9 * len(priors), 3.4), squeeze=False, sharey=True, layout="constrained"
    )
    for axes, prior in zip(panels[0], priors, strict=True):
        for source, look in plotting.style(settings["sources"]).items():
            rows = table[(table["prior"] == prior) & (table["prior_source"] == source) & (table["prior_sigma"] != "0")]
            plotting.intervals(axes, rows["prior_sigma"].astype(float), rows, label=source, **look)
        sigmas = [float(sigma) for sigma in settings["sigmas"] if sigma != "0"]
        axes.plot(sigmas, [sigma**-2 for sigma in sigmas], "--", color="black", linewidth=1, label="1 / σ²")
        axes.set(xscale="log", yscale="log", xlabel="σ of prior and data", title=prior)
    panels[0, 0].set_ylabel("mean of ‖∇ log p$_σ$(x)‖² / T")
    panels[0, -1].legend()
    return figure, table


if __name__ == "__main__":
    plotting.program(__doc__, draw)
