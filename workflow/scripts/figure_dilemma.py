"""The paper's dilemma in one figure: is a prior smooth, is it discriminative, and does it separate?"""

import numpy as np
import pandas as pd
from audiopriors import intervals, plotting, tables
from matplotlib.lines import Line2D

LEAST = "cost of noise, prior of the least"
MIDDLE = "0.129"  # the noise level at which smoothness is shown, if the data set has it
ASKED = {"cost": -1, "auroc": 0.9, "si_sdr": 10}  # what the claims ask for (claims.yaml): more than that
SHADE = "#E6F2EC"
SIZE = 6  # points, of markers
FILLED = {"marker": "o", "color": "black"}
OPEN = FILLED | {"fillstyle": "none"}


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


def in_order(priors: list[str], likelihood: pd.DataFrame, exact: str | None) -> list[str]:
    """Priors of one noise level a model, as the paper's, then those of one model for all levels, then the truth."""
    for_all = set(likelihood.loc[likelihood["prior_sigma"] == "all", "prior"])
    return sorted(priors, key=lambda prior: (prior == exact, prior in for_all))


def draw(settings, inputs):
    look, sources = plotting.style(settings["sources"]), settings["mix"]["sources"]
    whole, *others = (tables.read_csv(path) for path in inputs)
    priors = in_order(settings["priors"], whole, settings["exact"])
    likelihood, detection, separation = (tables.members(table) for table in (whole, *others))
    likelihood, detection = (table[table["prior"].isin(priors)] for table in (likelihood, detection))
    levels = [sigma for sigma in settings["sigmas"] if sigma != "0"]
    separation = separation[separation["mix"] == settings["mix"]["name"]]
    costs, worst, best = noise_costs(likelihood, levels), worst_pairs(detection, levels), best_methods(separation)
    figure, panels = plotting.grid(1, 3, 0.85 * len(priors), margin=1.9, sharey=True)
    smooth, tells, separates = panels[0]
    shift = {source: 0.12 * (k - (len(look) - 1) / 2) for k, source in enumerate(look)}
    for place, prior in enumerate(priors):
        for _, row in costs[costs["prior"] == prior].iterrows():
            smooth.plot(
                row["value"], place + shift[row["source"]], linestyle="none", markersize=SIZE, **look[row["source"]],
                fillstyle="none" if row["quantity"] == LEAST else "full",
            )  # fmt: skip
        for _, row in worst[worst["prior"] == prior].iterrows():
            ratio = row["quantity"] == "log_ratio"
            _interval(tells, row, place + (0.13 if ratio else -0.13), **(FILLED if ratio else OPEN))
        of_prior = best[best["prior"] == prior]
        for _, row in of_prior.iterrows():
            _interval(separates, row, place + shift[row["source"]], **look[row["source"]])
        for _, row in of_prior.head(1).iterrows():
            text = f"{plotting.title(settings, row['method'])} ({row['n']} mixes)"
            separates.text(0.99, place - 0.34, text, transform=separates.get_yaxis_transform(), va="center", ha="right",
                           fontsize=plotting.SMALL, color="0.3")  # fmt: skip
    plotting.value_scale(smooth, "x")
    if smooth.get_xscale() == "linear":
        smooth.locator_params(axis="x", nbins=5)
    tells.set_xlim(-0.03, 1.03)
    of_mix = separation[(separation["method"] == "mix") & (separation["source"] == "all")]["si_sdr_median"].iloc[0]
    half = "truth " if settings["exact"] else "−½ "  # what noise costs a true density
    _panel(smooth, "Smooth?", "change of log p, nats/sample", ASKED["cost"], -0.5, half)
    _panel(tells, "Discriminative?", "AUROC, worst pair, worst σ", ASKED["auroc"], 0.5, " chance")
    _panel(separates, f"Separates {len(sources)} sources?", "median SI-SDR, dB", ASKED["si_sdr"], of_mix, " mix")
    smooth.set_yticks(
        range(len(priors)), [plotting.title(settings, prior, plotting.LETTERS) for prior in priors], fontsize=12
    )
    smooth.set_ylim(len(priors) - 0.4, -0.6)
    _legends(panels[0], look, levels)
    columns = ["prior", "source", "quantity", "test_source", "method", "prior_sigma", "data_sigma", "n", "value",
               "low", "high"]  # fmt: skip
    return figure, pd.concat([costs, worst, best]).reindex(columns=columns)


def _panel(axes, question: str, measured: str, asked: float, line: float, meaning: str) -> None:
    """A panel's title, axis, what is asked for (shaded, to the right), and a line with its meaning."""
    low, high = axes.get_xlim()
    if line < low:
        low = line - 0.15 * (high - line)  # with room for its meaning
    axes.axvspan(asked, high + 10, color=SHADE, zorder=0)
    axes.set_xlim(low, high)
    axes.axvline(line, color="grey", linewidth=1, linestyle=":")
    axes.text(line, 0.01, meaning, color="0.3", fontsize=plotting.SMALL, va="bottom",
              ha="right" if meaning.endswith(" ") else "left", transform=axes.get_xaxis_transform())  # fmt: skip
    axes.set_title(question, fontsize=15, fontweight="bold")
    axes.set_xlabel(measured)


def _legends(panels, look: dict, levels: list[str]) -> None:
    """What filled and open points are, and the sources, below the panels."""
    middle = MIDDLE if MIDDLE in levels else levels[-1]
    of_points = (
        {f"prior and noise of σ = {middle}": FILLED, f"least σ, noise of {levels[0]}": OPEN},
        {"ratio of two priors": FILLED, "log p alone": OPEN},
        look,
    )
    for axes, points in zip(panels, of_points, strict=True):
        handles = [Line2D([], [], linestyle="none", markersize=SIZE, **point) for point in points.values()]
        axes.legend(handles, points.keys(), loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=len(points) // 2,
                    columnspacing=1, handletextpad=0.2)  # fmt: skip


def _interval(axes, row, y: float, **line) -> None:
    """The value of a row with its interval."""
    ends = [[row["value"] - row["low"]], [row["high"] - row["value"]]]
    axes.errorbar([row["value"]], [y], xerr=ends, capsize=2, markersize=SIZE, linestyle="none", **line)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
