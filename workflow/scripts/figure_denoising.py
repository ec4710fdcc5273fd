"""What every prior leaves of the noise in its own source, over the least that can be left, against the noise."""

from audiopriors import plotting, tables

LOOKS = {"tweedie": {"linestyle": "-"}, "langevin": {"linestyle": "--", "fillstyle": "none"}}
POSTERIORS = "*PXDph"  # markers of posterior models, each of one noise and beside the others


def draw(settings, inputs):
    table = tables.read_csv(inputs[0])
    priors, sources = settings["priors"], settings["sources"]
    table = table[table["prior"].isin(priors)]
    levels = sorted(table["data_sigma"].unique(), key=float)
    power, limited = table["data_sigma"].astype(float) ** 2, table["limit"].notna()
    unit = table["limit"].where(limited, power)
    left, low, high = table["error"] / unit, table["error_low"] / unit, table["error_high"] / unit
    low, high = table["low"].where(limited, low), table["high"].where(limited, high)  # of the ratio, where there is one
    least = left.min() / 4  # where the axis ends: an interval may reach 0
    table = table.assign(left=left, low=low.clip(lower=least), high=high, unchanged=power / unit)
    figure, panels = plotting.grid(1, len(sources), 3.6, margin=2, sharey=True)
    methods = list(table["method"].unique())
    models = [method for method in methods if method not in LOOKS]
    looks = LOOKS | {model: {"linestyle": "", "marker": POSTERIORS[k % 6]} for k, model in enumerate(models)}
    looks_of_priors = plotting.style_of_priors(priors, settings["exact"])
    for axes, source in zip(panels[0], sources, strict=True):
        place = plotting.sigma_axis(axes, levels)
        for k, prior in enumerate(priors):
            for method in methods:
                chosen = table[
                    (table["prior"] == prior) & (table["prior_source"] == source) & (table["method"] == method)
                ]
                if len(chosen):
                    chosen = chosen.sort_values("data_sigma", key=lambda column: column.map(place))
                    estimate = "" if method == "tweedie" else f": {plotting.title(settings, method)}"
                    label = plotting.title(settings, prior) + estimate
                    x = chosen["data_sigma"].map(place) + 0.06 * (k - len(priors) / 2)
                    if method in models:
                        x = chosen["data_sigma"].map(place) + 0.3 + 0.1 * models.index(method)
                    look = looks_of_priors[prior] | looks[method]
                    plotting.intervals(axes, x, chosen, "left", label=label, **look)
        unchanged = table[table["prior_source"] == source].drop_duplicates("data_sigma").set_index("data_sigma")
        axes.plot(
            [place[level] for level in levels if level in unchanged.index],
            [unchanged["unchanged"][level] for level in levels if level in unchanged.index],
            color="grey", linewidth=1, linestyle=":", label="the noisy wave itself",
        )  # fmt: skip
        axes.set_yscale("log")
        axes.set(title=source, xlabel="σ of the noise")
        axes.tick_params(axis="x", labelrotation=45)
    panels[0, 0].set_ylim(bottom=least)
    panels[0, 0].set_ylabel("mean square error / the least" if limited.any() else "mean square error / σ²")
    plotting.legend(figure, *panels.flat, where="lower", ncols=2)
    return figure, table


if __name__ == "__main__":
    plotting.program(__doc__, draw)
