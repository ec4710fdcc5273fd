"""Fig. 3: every source under every noise-free prior: the published score, the likelihood, and what each can detect."""

import matplotlib.pyplot as plt
import pandas as pd
from audiopriors import plotting, tables


def draw(settings, inputs):
    likelihood, detection = (tables.read_csv(path) for path in inputs)
    likelihood = likelihood[(likelihood["prior_sigma"] == "0") & (likelihood["data_sigma"] == "0")]
    detection = detection[(detection["prior_sigma"] == "0") & (detection["data_sigma"] == "0")]
    sources = settings["sources"]
    families = list(likelihood["family"].unique())
    published, shown = ["latent_log_prob"], []
    figure, panels = plt.subplots(
        len(families), 4, figsize=(14, 3.3 * len(families)), squeeze=False, layout="constrained"
    )
    for row, family in zip(panels, families, strict=True):
        for axes, score in zip(row[:2], [*published, "log_prob"], strict=True):
            chosen = likelihood[(likelihood["family"] == family) & (likelihood["score"] == score)]
            rows = [*sources, "mix"]
            values = plotting.matrix(chosen, "mean", rows, sources)
            plotting.heat_map(axes, values, rows, sources, -4, 2, "viridis", 2)
            name = plotting.SCORES[score].replace("\n", " ")
            axes.set(title=f"{name}\nmean, nats/sample", xlabel="prior", ylabel=f"{family}\ntest source")
            shown.append(chosen[chosen["test"].isin(rows)].assign(quantity="mean"))
        for axes, score in zip(row[2:], ["log_prob", "log_ratio"], strict=True):
            chosen = detection[(detection["family"] == family) & (detection["score"] == score)]
            values = plotting.matrix(chosen, "auroc", sources, sources)
            plotting.heat_map(axes, values, sources, sources, 0, 1, "cividis", 3)
            axes.set(title=f"AUROC of {plotting.SCORES[score]}\nown source above the other", xlabel="prior")
            shown.append(chosen[chosen["test"].isin(sources)].assign(quantity="auroc"))
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
