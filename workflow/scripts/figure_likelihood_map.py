"""Where in time each prior objects: log p split over time, of a wave of each source and of their mix."""

import numpy as np
import pandas as pd
from audiopriors import files, likelihood, plotting, registry

BINS = 64  # of a frame that is shown whole


def limits(kind: str, maps: np.ndarray) -> tuple[float, float]:
    """Where colours end: of tones, which other priors take for impossible, as those of means; else at 5 and 95 %."""
    finite = maps[np.isfinite(maps)]
    return plotting.MEANS["toy"] if kind == "toy" or not finite.size else tuple(np.quantile(finite, [0.05, 0.95]))


def draw(settings, inputs):
    path, *paths = inputs
    kind, frame = settings["data"]["kind"], settings["frame"]
    sources, priors = settings["sources"], settings["priors"]
    data, names = registry.open_data(settings["data"], path), [*sources, "mix"]
    # Of tones their first periods, sample by sample; of other waves all of them, in parts.
    samples, bins = (int(data.rate * plotting.MILLISECONDS / 1000), frame) if kind == "toy" else (frame, BINS)
    waves = likelihood.mapped(data, sources, frame)[:, 0, :samples].numpy()
    maps = np.stack([files.read_array(one)[:, :samples] for one in paths])
    maps = likelihood.binned(maps.reshape(len(priors), len(sources), *waves.shape), bins)
    height = max(1.0, 0.25 + 0.2 * len(sources))  # of a row, beside which a prior's name stands
    figure, panels = plotting.grid(1 + len(priors), len(names), height, sharex=True, sharey="row")
    end = 1000 * waves.shape[1] / data.rate
    low, high = limits(kind, maps)
    for axes, name, wave in zip(panels[0], names, waves, strict=True):
        colour = "black" if name == "mix" else plotting.style(sources)[name]["color"]
        axes.plot(np.linspace(0, end, len(wave), endpoint=False), wave, color=colour, linewidth=0.8)
        axes.set_title(name)
    rows, times = [], np.linspace(0, end, maps.shape[-1], endpoint=False)
    for row, prior, of_prior in zip(panels[1:], priors, maps, strict=True):
        for axes, name, values in zip(row, names, of_prior.swapaxes(0, 1), strict=True):
            plotting.strips(axes, values, sources, (0, end), (low, high))
            if np.isnan(of_prior).all():
                axes.text(0.5, 0.5, f"no model at σ = {settings['mapped_sigma']}", ha="center", va="center",
                          transform=axes.transAxes)  # fmt: skip
            shown = pd.DataFrame(values.T, columns=sources)
            shown.insert(0, "prior", prior)
            shown.insert(1, "test_source", name)
            shown.insert(2, "time_ms", times)
            rows.append(shown)
        plotting.name_row(row, plotting.title(settings, prior, plotting.LETTERS))
    plotting.name_row(panels[0], "amplitude")
    figure.supxlabel("time (ms)")
    label = f"log p at this time, nats/sample (σ = {settings['mapped_sigma']})"
    figure.colorbar(panels[-1, 0].images[0], ax=panels[1:], label=label, extend="both", aspect=50, pad=0.01)
    return figure, pd.concat(rows)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
