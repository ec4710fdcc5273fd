"""Fig. 3: every source under every noise-free prior: the likelihood, the published measure, and what they detect."""

import matplotlib.pyplot as plt
import pandas as pd
from audiopriors import plotting, tables
from audiopriors.columns import MEASURES


def draw(settings, inputs):
    likelihood, detection = (tables.members(tables.read_csv(path)) for path in inputs)
    sources, priors = settings["sources"], settings["priors"]
    rows, shown = [*sources, "mix"], []
    limits = plotting.limits_of_means(settings["data"]["kind"], likelihood)
    figure, panels = plt.subplots(len(priors), 4, figsize=(14, 3.5 * len(priors)), squeeze=False, layout="constrained")
    for line, prior in zip(panels, priors, strict=True):
        both = []
        for table in (likelihood, detection):
            own = table[(table["prior"] == prior) & (table["prior_sigma"] == table["data_sigma"])]
            # The exact prior begins at the smallest sigma: without noise the data have no density.
            sigma = next(level for level in settings["sigmas"] if (own["prior_sigma"] == level).any())
            both.append(own[own["prior_sigma"] == sigma])
        means, aurocs = both
        for axes, measure in zip(line[:2], ["log_prob", plotting.published_measure(means, prior)], strict=True):
            if measure is None:
                plotting.empty(axes, f"{prior}: a density only")
                continue
            chosen = means[(means["measure"] == measure) & means["test_source"].isin(rows)]
            values = plotting.matrix(chosen, "mean", rows, sources)
            plotting.heat_map(axes, values, rows, sources, *limits, "viridis", 2)
            name = MEASURES[measure].replace("\n", " ")
            axes.set(title=f"{name}\nmean, nats/sample", xlabel="prior source")
            shown.append(chosen.assign(quantity="mean"))
        for axes, measure in zip(line[2:], ["log_prob", "log_ratio"], strict=True):
            chosen = aurocs[(aurocs["measure"] == measure) & aurocs["test_source"].isin(sources)]
            values = plotting.matrix(chosen, "auroc", sources, sources)
            plotting.heat_map(axes, values, sources, sources, *plotting.SHARES, "cividis", 3)
            axes.set(title=f"AUROC of {MEASURES[measure]}\nown source above the other", xlabel="prior source")
            shown.append(chosen.assign(quantity="auroc"))
        line[0].set_ylabel(f"{prior}, σ = {sigma}\ntest source")
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
