"""What was published, the same measured here in the same way, and the correct measurement, side by side."""

import pandas as pd
from audiopriors import plotting, tables
from audiopriors.columns import MEASURES

INPUTS = ["constant_0", "normal_0.5"]


def draw(settings, inputs):
    likelihood, detection, table_1 = (tables.members(tables.read_csv(path)) for path in inputs)
    sources, ends = settings["sources"], [settings["sigmas"][0], settings["sigmas"][-1]]
    # Each prior trained as published, beside the correct one of the same family, if there is one.
    families = settings["families"]
    pairs = [
        (one, next((prior for prior in settings["priors"] if families[prior] == families[one]), None))
        for one in settings["published"]
    ]
    height = 0.75 + 0.25 * len(sources)
    figure, panels = plotting.grid(2 * len(pairs) + 1, 4, height, least=0.5 * len(sources), margin=0.6)
    shown, limits = [], plotting.limits_of_means(settings["data"]["kind"], likelihood)

    def show(axes, table, value, prior, measure, sigma):
        chosen = table[
            (table["prior"] == prior) & (table["measure"] == measure) & table["test_source"].isin(sources)
            & (table["prior_sigma"] == sigma) & (table["data_sigma"] == sigma)
        ]  # fmt: skip
        if chosen.empty:
            plotting.empty(axes, "")
            return
        colours = (*limits, "viridis", 2) if value == "mean" else (*plotting.SHARES, "cividis", 3)
        plotting.heat_map(axes, plotting.matrix(chosen, value, sources, sources), sources, sources, *colours)
        name = MEASURES[measure].split("\n")[0]
        what = f"mean of {name}" if value == "mean" else f"AUROC of {name}"
        axes.set_title(f"{plotting.title(settings, prior)}\n{what}", fontsize=plotting.SMALL)
        shown.append(chosen.assign(quantity=value))

    lines = [(*pair, sigma) for pair in pairs for sigma in ends]
    for line, (published, correct, sigma) in zip(panels, lines, strict=False):
        measure = plotting.published_measure(likelihood, published)
        show(line[0], likelihood, "mean", published, measure, sigma)
        # A density of spectrograms says something only as a ratio of two.
        detecting = tables.ratio_name(measure) if measure == "mel_log_prob" else measure
        show(line[1], detection, "auroc", published, detecting, sigma)
        show(line[2], likelihood, "mean", correct, "log_prob", sigma)
        show(line[3], detection, "auroc", correct, "log_ratio", sigma)
        for axes in line[1:]:
            axes.set_yticks([])
        plotting.name_row(line, f"σ = {sigma}")

    flows = [pair for pair in pairs if plotting.published_measure(likelihood, pair[0]) == "latent_log_prob"]
    wanted = [("FloWaveNet (paper)", "as published", "Table 1\nas the paper prints it")]
    for published, correct in flows:
        wanted.append((published, "latent_log_prob", f"{plotting.title(settings, published)}\nlatent term only"))
        if correct:
            wanted.append((correct, "log_prob", f"{plotting.title(settings, correct)}\nlog p(x)"))
    wanted += [
        (name, "log_prob", f"{plotting.title(settings, name)}\nlog p(x)")
        for name in settings["priors"] if families[name] == "exact"
    ]  # fmt: skip
    rows = [(test_source, sigma) for test_source in INPUTS for sigma in ends]
    labels = [
        f"{test_source.replace('constant_0', 'zero').replace('normal_0.5', 'N(0, .5)')}, σ = {sigma}"
        for test_source, sigma in rows
    ]
    for axes in panels[-1]:
        if not wanted:
            plotting.empty(axes, "")
            continue
        prior, measure, title = wanted.pop(0)
        chosen = table_1[(table_1["prior"] == prior) & (table_1["measure"] == measure)]
        chosen = chosen.set_index(["input", "prior_sigma"]).reindex(rows)[sources]
        plotting.heat_map(axes, chosen.to_numpy(float), labels, sources, *limits, "viridis", 2)
        axes.set_title(title, fontsize=plotting.SMALL)
        if axes is not panels[-1, 0]:
            axes.set_yticks([])
        shown.append(chosen.reset_index().melt(["input", "prior_sigma"], sources, "prior_source", "mean").assign(
            prior=prior, measure=measure, quantity="table 1"))  # fmt: skip
    plotting.label_lowest(panels)
    figure.supxlabel("prior source (rows: test source)")
    return figure, pd.concat(shown)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
