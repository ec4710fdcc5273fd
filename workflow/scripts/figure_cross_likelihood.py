"""Fig. 3: every source under every noise-free prior: the likelihood, the published measure, and what they detect."""

import pandas as pd
from audiopriors import plotting, tables
from audiopriors.columns import MEASURES

TITLES = [
    "log p(x)\nmean, nats/sample", "score as published\nmean, nats/sample", "AUROC of log p(x)",
    f"AUROC of the ratio\n{MEASURES['log_ratio']}",
]  # fmt: skip


def draw(settings, inputs):
    likelihood, detection = (tables.members(tables.read_csv(path)) for path in inputs)
    sources, priors = settings["sources"], settings["priors"]
    rows, shown = [*sources, "mix"], []
    limits = plotting.limits_of_means(settings["data"]["kind"], likelihood)
    figure, panels = plotting.grid(len(priors), 4, 0.34 + 0.26 * len(rows), least=0.5 * len(sources))
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
                plotting.empty(axes, "no such score")
                continue
            chosen = means[(means["measure"] == measure) & means["test_source"].isin(rows)]
            values = plotting.matrix(chosen, "mean", rows, sources)
            plotting.heat_map(axes, values, rows, sources, *limits, "viridis", 2)
            shown.append(chosen.assign(quantity="mean"))
        for axes, measure in zip(line[2:], ["log_prob", "log_ratio"], strict=True):
            chosen = aurocs[(aurocs["measure"] == measure) & aurocs["test_source"].isin(sources)]
            values = plotting.matrix(chosen, "auroc", sources, sources)
            plotting.heat_map(axes, values, sources, sources, *plotting.SHARES, "cividis", 3)
            shown.append(chosen.assign(quantity="auroc"))
        for axes in (line[1], line[3]):  # the same rows as at their left
            axes.set_yticks([])
        plotting.name_row(line, f"{plotting.title(settings, prior, plotting.LETTERS)}\nσ = {sigma}")
    for axes, title in zip(panels[0], TITLES, strict=True):
        axes.set_title(title)
    plotting.label_lowest(panels)
    figure.supxlabel("prior source (rows: test source)")
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
