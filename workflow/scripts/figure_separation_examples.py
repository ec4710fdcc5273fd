"""Before and after: the first test mix and its sources, and what each prior makes of it with its first method."""

import numpy as np
import pandas as pd
from audiopriors import files, plotting, registry
from audiopriors.separation import running as separation


def draw(settings, inputs):
    data = registry.open_data(settings["data"], inputs[0])
    mix, music = settings["mix"]["sources"], settings["data"]["kind"] == "music"
    truth, total, _ = separation.mixes(data, settings["mix"], 1, settings["frame"])
    truth, divisor = truth[:, 0, 0].numpy(), data.mix_divisor(mix)
    lines = [("truth", "truth", truth, total[0, 0].numpy() / divisor)]
    first: dict[str, str] = {}
    for prior, method in settings["runs"]:
        first.setdefault(prior, method)
    for (prior, method), path in zip(first.items(), inputs[1:], strict=True):
        waves = files.read_array(path)[:, 0]
        name = f"{plotting.title(settings, prior, 20)}\n{plotting.title(settings, method, 20)}"
        lines.append((f"{method} {prior}", name, waves, waves.sum(0) / divisor))
    # x is shared within columns, not by all: matplotlib looks through all that are shared, again and again.
    figure, panels = plotting.grid(len(lines), len(mix) + 1, 1.25, sharex="col", sharey="row")
    rows = []
    for line, (what, name, waves, mixed) in zip(panels, lines, strict=True):
        for axes, source, wave, right in zip(line, ["mix", *mix], [mixed, *waves], [None, *truth], strict=True):
            if music:
                shown = plotting.spectrogram(axes, wave, data.rate)
                axes.set_yticks([0, data.rate / 2], ["0", f"{data.rate / 2000:g} kHz"])
            else:
                wave, _ = plotting.waveform(
                    axes, settings["sources"], source, wave, None if what == "truth" else right, data.rate
                )
            times = np.arange(len(wave)) / data.rate
            rows.append(pd.DataFrame({"what": what, "source": source, "time": times, "amplitude": wave}))
        plotting.name_row(line, name)
    if music:
        figure.colorbar(shown, ax=panels, label="dB", aspect=60, pad=0.01)
    for axes, name in zip(panels[0], ["mix", *mix], strict=True):
        axes.set_title(name)
    figure.supxlabel("time (s)" if music else "time (ms)")
    return figure, pd.concat(rows)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
