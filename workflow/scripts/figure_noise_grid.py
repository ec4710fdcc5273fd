"""Fig. 4: as Fig. 3, at every noise level, the same for prior and data."""

import matplotlib.pyplot as plt
import pandas as pd
from audiopriors import plotting, tables
from audiopriors.columns import MEASURES


def draw(settings, inputs):
    likelihood, detection = (tables.members(tables.read_csv(path)) for path in inputs)
    sources, sigmas = settings["sources"], settings["sigmas"]
    limits = plotting.limits_of_means(settings["data"]["kind"], likelihood)
    lines = []
    for prior in settings["priors"]:
        published = plotting.published_measure(likelihood, prior)
        quantities = [("log_prob", "mean"), ("log_prob", "auroc"), ("log_ratio", "auroc")]
        quantities = [(published, "mean"), (published, "auroc"), *quantities] if published else quantities
        lines += [(prior, measure, value) for measure, value in quantities]
    figure, panels = plt.subplots(len(lines), len(sigmas), squeeze=False, layout="constrained",
                                  figsize=(2.3 * len(sigmas) + 0.8, 1.75 * len(lines)))  # fmt: skip
    shown, before = [], None
    for number, (row, (prior, measure, value)) in enumerate(zip(panels, lines, strict=True)):
        table = likelihood if value == "mean" else detection
        for axes, sigma in zip(row, sigmas, strict=True):
            chosen = table[
                (table["prior"] == prior) & (table["measure"] == measure) & table["test_source"].isin(sources)
                & (table["prior_sigma"] == sigma) & (table["data_sigma"] == sigma)
            ]  # fmt: skip
            if len(chosen):
                colours = (*limits, "viridis") if value == "mean" else (*plotting.SHARES, "cividis")
                plotting.heat_map(axes, plotting.matrix(chosen, value, sources, sources), sources, sources, *colours, 2)
            else:
                plotting.empty(axes, "no density\nat σ = 0" if sigma == "0" else "not trained")
            if axes is not row[0] and len(chosen):
                axes.set_yticks([])
            if number < len(lines) - 1:
                axes.set_xticks([])
            else:
                axes.set_xlabel("prior source")
            if prior != before:
                axes.set_title(f"{prior}, σ = {sigma}")
            shown.append(chosen.assign(quantity=value))
        unit = "mean, nats/sample" if value == "mean" else "AUROC"
        plotting.label_row(row, f"{MEASURES[measure]}\n{unit}", fontsize=8)
        before = prior
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
