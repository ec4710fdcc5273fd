"""Histograms of each source's sample values, the Beta density fitted to them, and Beta densities to compare with."""

import numpy as np
import pandas as pd
import torch
from audiopriors import amplitudes, plotting, registry
from audiopriors.data import toy

ITEMS, SAMPLES = 1024, 512  # of many items a part each, as the samples of one item are much alike
FREQUENCY = 220.0  # Hz, of the toy data's example waves
BINS = 50
CONCENTRATIONS = [(0.5, 0.5), (1, 1), (2, 2), (5, 5), (2, 5)]  # from two peaks at the ends to one in the middle
DASHES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1))]


def draw(settings, inputs):
    data, sources = registry.open_data(settings["data"], inputs[0]), settings["sources"]
    figure, panels = plotting.grid(2, len(sources) + 1, 2, sharex=True)
    closed = settings["data"]["kind"] == "toy" and not data.config.bandlimited
    count, rows = min(data.count("train"), ITEMS), []
    for column, source in zip(panels.T, sources, strict=False):
        examples = [toy_example(source, settings["frame"], data)] if closed else [first_item(source, settings, data)]
        values = data.frames("train", source, torch.arange(count), min(settings["frame"], SAMPLES))
        law = (lambda value, name=source: data_law(name, value, data)) if closed else None
        examples.append((f"{count} items", values, law))
        for axes, (what, values, law) in zip(column, examples, strict=True):
            shown = histogram(axes, values.numpy().ravel(), plotting.style(sources)[source]["color"], law)
            axes.set_title(f"{source}\n{what}")
            rows.append(shown.assign(shown=what, source=source))
        column[-1].set_xlabel("sample value")
    for line in panels:
        line[0].set_ylabel("density" if closed else "density (log scale)")
    rows.append(densities(panels[1, -1]).assign(shown="Beta densities", source=""))
    panels[0, -1].set_axis_off()
    panels[0, -1].legend(*panels[0, 0].get_legend_handles_labels(), loc="center")
    return figure, pd.concat(rows)


def toy_example(source, frame, data):
    """A wave of the middle amplitude: what it is, its samples, and their true law."""
    amplitude = sum(data.config.amplitude_range) / 2
    parameters = (torch.tensor([value], dtype=torch.float64) for value in (FREQUENCY, amplitude, 0.0))
    wave = toy.render(source, *parameters, frame, data.rate)
    return f"A = {amplitude:g}", wave, lambda values: amplitudes.wave_density(source, values, amplitude, amplitude)


def first_item(source, settings, data):
    """The same of the first training item, which has no law in closed form."""
    return "first item", data.frames("train", source, torch.arange(1), settings["frame"]), None


def data_law(source, values, data):
    """The density of all samples of a toy source."""
    return amplitudes.wave_density(source, values, *data.config.amplitude_range)


def histogram(axes, values, colour, law):
    """The histogram, the fitted Beta density and the true one in a panel; returns them at the middle of each bin."""
    values = amplitudes.inside(values)
    density, edges = np.histogram(values, BINS, (-1, 1), density=True)
    alpha, beta = amplitudes.fit_beta(values)
    axes.stairs(density, edges, fill=True, color=colour, alpha=0.35, label="samples")
    fine = np.linspace(-1, 1, 1001)[1:-1]
    axes.plot(fine, amplitudes.beta_density(fine, alpha, beta), color="black", linewidth=1.2, label="Beta, fitted")
    if law is not None:
        axes.plot(fine, law(fine), color="0.45", linewidth=1.8, linestyle="--", label="true law")
        axes.set_ylim(0, 1.45 * density.max())
    else:  # most samples of music are near 0, and what matters is far from it
        axes.set_yscale("log")
        axes.set_ylim(1e-4, 300 * density.max())
    axes.set_xticks([-1, 0, 1])
    fitted = f"α = {plotting.number(alpha, 2)}\nβ = {plotting.number(beta, 2)}"
    axes.text(0.5, 0.97, fitted, transform=axes.transAxes, ha="center", va="top", fontsize=plotting.SMALL)
    middle = (edges[:-1] + edges[1:]) / 2
    return pd.DataFrame({
        "n": len(values), "alpha": alpha, "beta": beta, "value": middle, "density": density,
        "beta_density": amplitudes.beta_density(middle, alpha, beta),
        "true_density": np.nan if law is None else law(middle),
    })  # fmt: skip


def densities(axes):
    """Beta densities of several concentrations."""
    values, shades, rows = np.linspace(-1, 1, 201)[1:-1], plotting.plt.get_cmap("viridis"), []
    for number, ((alpha, beta), dashes) in enumerate(zip(CONCENTRATIONS, DASHES, strict=True)):
        density = amplitudes.beta_density(values, alpha, beta)
        axes.plot(values, density, color=shades(number / len(DASHES)), linestyle=dashes, label=f"{alpha:g}, {beta:g}")
        rows.append(pd.DataFrame({"alpha": alpha, "beta": beta, "value": values, "beta_density": density}))
    axes.set(title="Beta densities", ylim=(0, 3.2))
    axes.legend(title="α, β", fontsize=plotting.SMALL, ncols=2, loc="upper center", columnspacing=0.8, handlelength=1.3)
    return pd.concat(rows)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
