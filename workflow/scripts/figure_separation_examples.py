"""Before and after: the first test mix, its true sources, and what each method makes of them."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from audiopriors import plotting, registry, separation

MILLISECONDS = 8


def draw(settings, inputs):
    data = registry.open_data(settings["data"], inputs[0])
    mix = settings["mixes"][0]
    truth, total = separation.mixes(data, mix, 1, settings["frame"])
    length = min(settings["frame"], int(data.rate * MILLISECONDS / 1000))
    time = 1000 * np.arange(length) / data.rate
    lines = [("truth", truth[:, 0, 0].numpy())]
    for (family, method), path in zip(settings["runs"], inputs[1:], strict=True):
        lines.append((f"{method.replace('_', ' ')}\n{family}", np.load(path, allow_pickle=False)[:, 0]))
    figure, panels = plt.subplots(
        len(lines),
        len(mix) + 1,
        figsize=(2.5 * (len(mix) + 1), 1.35 * len(lines)),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    rows = []
    for number, (line, (name, waves)) in enumerate(zip(panels, lines, strict=True)):
        line[0].set_ylim(-1.6, 1.6)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
        waves = np.concatenate([waves.mean(0, keepdims=True) if number else total[0].numpy() / len(mix), waves])
        for axes, source, wave, right in zip(line, ["mix", *mix], waves, [None, *truth[:, 0, 0].numpy()], strict=True):
            colour = "black" if source == "mix" else plotting.style(settings["sources"])[source]["color"]
            if number and right is not None:
                axes.plot(time, right[:length], color="0.7", linewidth=2)
            axes.plot(time, wave[:length], color=colour, linewidth=0.9)
            rows.append(
                pd.DataFrame(
                    {
                        "what": name.replace("\n", " "),
                        "source": source,
                        "time_ms": time,
                        "amplitude": wave[:length],
                    }
                )
            )
    for axes, name in zip(panels[0], ["mix", *mix], strict=True):
        axes.set_title(name)
    for axes in panels[-1]:
        axes.set_xlabel("time (ms)")
    return figure, pd.concat(rows)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
