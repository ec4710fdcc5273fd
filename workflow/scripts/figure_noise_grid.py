"""Fig. 4: as Fig. 3, at every noise level, the same for prior and data."""

import matplotlib.pyplot as plt
import pandas as pd
from audiopriors import plotting, tables


def draw(settings, inputs):
    likelihood, detection = (tables.read_csv(path) for path in inputs)
    sources, sigmas = settings["sources"], settings["sigmas"]
    families = list(likelihood["family"].unique())
    kinds = [("latent_log_prob", "mean"), ("log_prob", "mean"), ("log_prob", "auroc"), ("log_ratio", "auroc")]
    figure, panels = plt.subplots(len(kinds) * len(families), len(sigmas), squeeze=False, layout="constrained",
                                  figsize=(2.3 * len(sigmas) + 0.8, 2.1 * len(kinds) * len(families)))  # fmt: skip
    shown = []
    for place, (family, (score, value)) in enumerate((family, kind) for family in families for kind in kinds):
        table = likelihood if value == "mean" else detection
        for column, sigma in enumerate(sigmas):
            axes = panels[place, column]
            chosen = table[
                (table["family"] == family) & (table["score"] == score) & table["test"].isin(sources)
                & (table["prior_sigma"] == sigma) & (table["data_sigma"] == sigma)
            ]  # fmt: skip
            values = plotting.matrix(chosen, value, sources, sources)
            limits = (-4, 2, "viridis", 2) if value == "mean" else (0, 1, "cividis", 2)
            plotting.heat_map(axes, values, sources, sources, *limits)
            if column:
                axes.set_yticks([])
            else:
                unit = "nats/sample" if value == "mean" else "AUROC"
                axes.set_ylabel(f"{plotting.SCORES[score]}\n{unit}")
            if place < len(panels) - 1:
                axes.set_xticks([])
            if place % len(kinds) == 0:
                axes.set_title((f"{family}, " if len(families) > 1 and not column else "") + f"σ = {sigma}")
            shown.append(chosen.assign(quantity=value))
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
