"""Energy (minus log posterior) and residual along the steps of each sampler, a line a prior."""

import pandas as pd
from audiopriors import files, plotting

COLUMNS = 5  # methods beside each other
FEW = 8  # noise levels that are drawn


def draw(settings, inputs):
    methods: dict[str, list[tuple[str, str]]] = {}
    for (prior, method), path in zip(settings["runs"], inputs, strict=True):
        methods.setdefault(method, []).append((prior, path))
    columns = min(COLUMNS, len(methods))
    lines = -(-len(methods) // columns)
    figure, panels = plotting.grid(2 * lines, columns, 1.75, margin=1.4)
    looks = plotting.style_of_priors(list(dict.fromkeys(prior for prior, _ in settings["runs"])), settings["exact"])
    shown = []
    for number in range(lines * columns):
        line, place = divmod(number, columns)
        pair = panels[2 * line : 2 * line + 2, place]
        if number >= len(methods):
            for axes in pair:
                plotting.empty(axes, "")
            continue
        method = list(methods)[number]
        for prior, path in methods[method]:
            trace = files.read_rows([path])
            trace["number"] = trace["level"] * (trace["step"].max() + 1) + trace["step"]
            trace["energy"] /= settings["frame"]
            for axes, quantity in zip(pair, ("energy", "residual"), strict=True):
                if trace[quantity].notna().any():
                    quantiles = along(axes, trace, quantity, plotting.title(settings, prior), looks[prior])
                    shown.append(quantiles.assign(prior=prior, method=method, quantity=quantity))
            levels = trace.groupby("level")["number"].first()
        for axes in pair:
            for start in levels if len(levels) <= FEW else []:
                axes.axvline(start, color="grey", linewidth=0.8, linestyle=":")
            if not axes.collections:
                plotting.empty(axes, "log p is not computed\nin each step")
        plotting.value_scale(pair[0])
        pair[1].set_ylim(bottom=0)
        pair[0].set_title(plotting.title(settings, method, 20))
        pair[1].set_xlabel("step")
        if place == 0:
            pair[0].set_ylabel("energy\n(nats/sample)")
            pair[1].set_ylabel("residual")
    plotting.legend(figure, *panels.flat, ncols=3)
    return figure, pd.concat(shown).rename(columns=str)


def along(axes, trace: pd.DataFrame, quantity: str, label: str, look: dict) -> pd.DataFrame:
    """The median over mixes along the steps, and a band from 10 to 90 %; returns the three by the step's number."""
    quantiles = trace.groupby("number")[quantity].quantile([0.1, 0.5, 0.9]).unstack()
    axes.fill_between(quantiles.index, quantiles[0.1], quantiles[0.9], color=look["color"], alpha=0.2, linewidth=0)
    axes.plot(
        quantiles.index, quantiles[0.5], label=label, linewidth=1.3, markersize=4, markevery=len(quantiles) // 5 + 1,
        **look,
    )  # fmt: skip
    return quantiles.reset_index()


if __name__ == "__main__":
    plotting.program(__doc__, draw)
