"""Mean SI-SDR improvement against the number of training steps, for priors and for supervised separators."""

import pandas as pd
from audiopriors import plotting, tables

DOTTED = ("static_wiener", "ideal_power_mask")


def draw(settings, inputs):
    table = tables.read_csv(inputs[0])
    table = table[table["mix"] == settings["mix"]["name"]]
    points = pd.concat([of_curve(curve, table) for curve in settings["curves"]], ignore_index=True)
    figure, axes = plotting.plt.subplots(figsize=(7, 4), layout="constrained")
    curves = {title: points[points["curve"] == title] for title in points["curve"].unique()}
    for (title, curve), look in zip(curves.items(), plotting.style(list(curves)).values(), strict=True):
        means = curve[curve["source"] == "all"]
        axes.plot(means["steps"], means["improvement"], label=plotting.title(settings, title), **look)
        each = curve[curve["source"] != "all"]
        axes.plot(each["steps"], each["improvement"], **look | {"linestyle": "none", "alpha": 0.25})
    for name in DOTTED:
        reference = table[(table["method"] == name) & (table["source"] == "all")]
        for value in reference["si_sdr_improvement_mean"]:
            axes.axhline(value, color="grey", linestyle=":", linewidth=1)
            axes.text(points["steps"].min(), value, plotting.title(settings, name), fontsize=plotting.SMALL,
                      verticalalignment="bottom")  # fmt: skip
    axes.set_xscale("log")
    axes.set(xlabel="training steps of all models", ylabel="mean SI-SDR improvement (dB)")
    plotting.legend(figure, axes)
    return figure, points


def of_curve(curve: dict, table: pd.DataFrame) -> pd.DataFrame:
    """Rows (curve, name, steps, source, improvement) of one curve, by steps."""
    name = table["prior"].where(table["prior"] != "reference", table["method"])
    rows = table.assign(name=name)[table["method"].isin(curve["methods"]) & name.isin(curve["steps"])]
    rows = pd.DataFrame({
        "curve": curve["title"], "name": rows["name"], "steps": rows["name"].map(curve["steps"]),
        "source": rows["source"], "improvement": rows["si_sdr_improvement_mean"],
    })  # fmt: skip
    return rows.sort_values(["steps", "source"])


if __name__ == "__main__":
    plotting.program(__doc__, draw)
