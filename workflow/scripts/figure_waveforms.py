"""Fig. 1: two periods of each toy source, and their mix; or a test item of music with its spectrograms."""

import pandas as pd
import torch
from audiopriors import plotting, registry
from audiopriors.data import toy

FREQUENCY = 220.0  # Hz, one for all, so that the shapes compare


def draw(settings, inputs):
    return (toy_shapes if settings["data"]["kind"] == "toy" else one_item)(settings, inputs)


def toy_shapes(settings, inputs):
    """Two periods of each source."""
    config = registry.settings("data", "toy", settings["data"]["settings"])
    length = int(2 * config.rate / FREQUENCY)
    one = torch.ones(1, dtype=torch.float64)
    shapes = {
        source: toy.render(source, FREQUENCY * one, one, 0 * one, length, config.rate, bandlimited=config.bandlimited)[
            0, 0
        ]
        for source in settings["sources"]
    }
    data = registry.open_data(settings["data"], inputs[0])
    item = torch.tensor([0])
    mixed = torch.stack([data.frames("test", source, item, 4 * length)[0, 0] for source in settings["sources"]]).mean(0)
    figure, panels = plotting.plt.subplots(1, len(shapes) + 1, figsize=(plotting.WIDTH, 2), sharey=True,
                                           width_ratios=[1] * len(shapes) + [2], layout="constrained")  # fmt: skip
    for axes, (source, wave) in zip(panels, shapes.items(), strict=False):
        axes.plot(
            1000 * torch.arange(length) / config.rate,
            wave,
            color=plotting.style(settings["sources"])[source]["color"],
        )
        axes.set(title=source, xlabel="time (ms)")
    panels[-1].plot(1000 * torch.arange(len(mixed)) / config.rate, mixed, color="black", linewidth=0.8)
    panels[-1].set(title=f"a test mix (mean of {len(shapes)})", xlabel="time (ms)")
    panels[0].set_ylabel("amplitude")
    rows = [pd.DataFrame({"source": source, "time": torch.arange(len(wave)) / config.rate, "amplitude": wave})
            for source, wave in [*shapes.items(), ("mix", mixed)]]  # fmt: skip
    return figure, pd.concat(rows)


def one_item(settings, inputs):
    """The first test item: waveforms above spectrograms."""
    data = registry.open_data(settings["data"], inputs[0])
    item, sources = torch.tensor([0]), settings["sources"]
    waves = {source: data.frames("test", source, item, settings["frame"])[0, 0] for source in sources}
    waves["mix"] = data.mixture("test", sources, item, settings["frame"])[0, 0]
    figure, panels = plotting.grid(2, len(waves), 1.6, sharex=True, sharey="row")
    time = torch.arange(settings["frame"]) / data.rate
    for (upper, lower), (source, wave) in zip(panels.T, waves.items(), strict=True):
        colour = "black" if source == "mix" else plotting.style(sources)[source]["color"]
        upper.plot(time, wave, color=colour, linewidth=0.4)
        upper.set_title(source)
        shown = plotting.spectrogram(lower, wave.numpy(), data.rate)
        lower.set_xlabel("time (s)")
    panels[0, 0].set_ylabel("amplitude")
    panels[1, 0].set_ylabel("frequency (Hz)")
    figure.colorbar(shown, ax=panels[1], label="dB", pad=0.01)
    rows = [pd.DataFrame({"source": source, "time": time, "amplitude": wave}) for source, wave in waves.items()]
    return figure, pd.concat(rows)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
