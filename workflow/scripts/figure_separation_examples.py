"""Before and after: the first test mix and its sources, and what every method makes of it."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from audiopriors import files, plotting, registry
from audiopriors.separation import running as separation


def draw(settings, inputs):
    data = registry.open_data(settings["data"], inputs[0])
    mix, music = settings["mix"]["sources"], settings["data"]["kind"] == "music"
    truth, total, _ = separation.mixes(data, settings["mix"], 1, settings["frame"])
    truth, divisor = truth[:, 0, 0].numpy(), data.mix_divisor(mix)
    lines = [("truth", truth, total[0, 0].numpy() / divisor)]
    for (prior, method), path in zip(settings["runs"], inputs[1:], strict=True):
        waves = files.read_array(path)[:, 0]
        lines.append((f"{method.replace('_', ' ')}\n{prior}", waves, waves.sum(0) / divisor))
    figure, panels = plt.subplots(
        len(lines),
        len(mix) + 1,
        figsize=(2.5 * (len(mix) + 1), 1.35 * len(lines)),
        sharex="col",  # not all with all: matplotlib looks through all that are shared, again and again
        sharey="row",
        squeeze=False,
        layout="constrained",
    )
    rows = []
    for line, (name, waves, mixed) in zip(panels, lines, strict=True):
        for axes, source, wave, right in zip(line, ["mix", *mix], [mixed, *waves], [None, *truth], strict=True):
            if music:
                shown = plotting.spectrogram(axes, wave, data.rate)
                axes.set_yticks([0, data.rate / 4, data.rate / 2], ["0", f"{data.rate / 4:g}", f"{data.rate / 2:g} Hz"])
            else:
                wave, _ = plotting.waveform(
                    axes, settings["sources"], source, wave, None if name == "truth" else right, data.rate
                )
            times = np.arange(len(wave)) / data.rate
            rows.append(pd.DataFrame({"what": name.replace("\n", " "), "source": source, "time": times,
                                      "amplitude": wave}))  # fmt: skip
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    if music:
        figure.colorbar(shown, ax=panels, label="dB", aspect=60)
    for axes, name in zip(panels[0], ["mix", *mix], strict=True):
        axes.set_title(name)
    for axes in panels[-1]:
        axes.set_xlabel("time (s)" if music else "time (ms)")
    return figure, pd.concat(rows)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
