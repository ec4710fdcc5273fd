"""The paper's dilemma in one figure: is a prior smooth, is it discriminative, and does it separate?"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from audiopriors import intervals, plotting, tables
from audiopriors.columns import MEASURES

LEAST = "cost of noise, prior of the least"
MIDDLE = "0.129"  # the noise level at which smoothness is shown, if the data set has it


def noise_costs(likelihood: pd.DataFrame, levels: list[str]) -> pd.DataFrame:
    """What noise does to the mean log p of a prior's own source, nats/sample.

    One prior is that of the least noise, with noise of the next level; the other is that of MIDDLE, with that noise.
    """
    own = likelihood[(likelihood["measure"] == "log_prob") & (likelihood["prior_source"] == likelihood["test_source"])]
    middle = MIDDLE if MIDDLE in levels else levels[-1]
    rows = []
    for (prior, source), group in own.groupby(["prior", "prior_source"], sort=False):
        mean = group.set_index(["prior_sigma", "data_sigma"])["mean"]
        least = min(group["prior_sigma"], key=float)
        for quantity, prior_sigma, noise in ((LEAST, least, levels[0]), ("cost of noise", middle, middle)):
            if (prior_sigma, noise) not in mean.index:  # of a prior that has no such level
                continue
            rows.append({
                "prior": prior, "source": source, "quantity": quantity, "prior_sigma": prior_sigma,
                "data_sigma": noise, "value": mean[prior_sigma, noise] - mean[prior_sigma, "0"],
            })  # fmt: skip
    costs = pd.DataFrame(rows)
    return costs[np.isfinite(costs["value"])]  # a WaveNet without noise gives −∞ beyond [−1, 1]


def worst_pairs(detection: pd.DataFrame, levels: list[str]) -> pd.DataFrame:
    """AUROC of the worst pair at the worst noise level above 0, with the interval of the minimum."""
    chosen = detection[
        (detection["prior_sigma"] == detection["data_sigma"]) & detection["data_sigma"].isin(levels)
        & (detection["test_source"] != "rest") & detection["measure"].isin(["log_prob", "log_ratio"])
    ]  # fmt: skip
    groups = chosen.groupby(["prior", "measure"], sort=False)
    ends = [
        intervals.extreme("min", group["auroc"].to_numpy(), group[["low", "high"]].to_numpy(), bounded=True)
        for _, group in groups
    ]
    worst = chosen.loc[groups["auroc"].idxmin()]
    worst[["low", "high"]] = ends
    return worst.rename(columns={"prior_source": "source", "measure": "quantity", "auroc": "value"})


def best_methods(separation: pd.DataFrame) -> pd.DataFrame:
    """SI-SDR of each source by each prior's best method."""
    whole = separation[separation["source"] == "all"].dropna(subset="si_sdr_median")
    best = whole.loc[whole.groupby("prior", sort=False)["si_sdr_median"].idxmax(), ["prior", "method"]]
    chosen = separation.merge(best)
    return chosen[chosen["source"] != "all"].assign(quantity="si_sdr").rename(columns={"si_sdr_median": "value"})


def draw(settings, inputs):
    priors, look = settings["priors"], plotting.style(settings["sources"])
    likelihood, detection, separation = (tables.members(tables.read_csv(path)) for path in inputs)
    likelihood, detection = (table[table["prior"].isin(priors)] for table in (likelihood, detection))
    levels = [sigma for sigma in settings["sigmas"] if sigma != "0"]
    separation = separation[separation["mix"] == settings["mix"]["name"]]
    costs, worst, best = noise_costs(likelihood, levels), worst_pairs(detection, levels), best_methods(separation)
    figure, (smooth, tells, separates) = plt.subplots(
        1, 3, figsize=(13, 1.3 + 0.62 * len(priors)), sharey=True, layout="constrained"
    )
    shift = {source: 0.13 * (k - (len(look) - 1) / 2) for k, source in enumerate(look)}
    for place, prior in enumerate(priors):
        for _, row in costs[costs["prior"] == prior].iterrows():
            filled = row["quantity"] != LEAST
            smooth.plot(
                row["value"], place + shift[row["source"]], linestyle="none", markersize=5, **look[row["source"]],
                fillstyle="full" if filled else "none", label=row["source"] if filled else None,
            )  # fmt: skip
        for _, row in worst[worst["prior"] == prior].iterrows():
            ratio = row["quantity"] == "log_ratio"
            _interval(tells, row, place + (0.12 if ratio else -0.12), marker="o", color="black",
                      fillstyle="full" if ratio else "none", label=MEASURES[row["quantity"]])  # fmt: skip
        of_prior = best[best["prior"] == prior]
        for _, row in of_prior.iterrows():
            _interval(separates, row, place + shift[row["source"]], **look[row["source"]])
        for _, row in of_prior.head(1).iterrows():
            text = f"{row['method'].replace('_', ' ')} ({row['n']} mixes)"
            separates.text(1.02, place, text, transform=separates.get_yaxis_transform(), va="center", fontsize=8.5)
    smooth.axvline(-0.5, color="grey", linewidth=0.8, linestyle=":")
    smooth.set(
        title=f"Smooth? Cost of noise as large as the prior's own\n(open: of {levels[0]}, for the prior of the least)",
        xlabel="change of log p, nats/sample",
    )
    plotting.value_scale(smooth, "x")
    tells.axvline(0.5, color="grey", linewidth=0.8, linestyle=":")
    tells.set(title="Discriminative?\nThe worst pair at the worst σ", xlabel="AUROC", xlim=(-0.03, 1.03))
    mix = separation[(separation["method"] == "mix") & (separation["source"] == "all")]["si_sdr_median"]
    separates.axvline(mix.iloc[0], color="grey", linewidth=0.8, linestyle=":")
    separates.set(title=f"Separates {len(settings['mix']['sources'])} sources?\nBy its best sampler here",
                  xlabel="median SI-SDR (dB, at most 60)")  # fmt: skip
    smooth.set_yticks(range(len(priors)), priors)
    smooth.set_ylim(len(priors) - 0.4, -0.6)
    for axes, where in ((smooth, "outside lower left"), (tells, "outside lower center")):
        handles, labels = axes.get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        figure.legend(unique.values(), unique.keys(), loc=where, ncols=len(unique))
    columns = ["prior", "source", "quantity", "test_source", "method", "prior_sigma", "data_sigma", "n", "value",
               "low", "high"]  # fmt: skip
    return figure, pd.concat([costs, worst, best]).reindex(columns=columns)


def _interval(axes, row, y: float, **line) -> None:
    """The value of a row with its interval."""
    ends = [[row["value"] - row["low"]], [row["high"] - row["value"]]]
    axes.errorbar([row["value"]], [y], xerr=ends, capsize=2, markersize=5, linestyle="none", **line)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
