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
    columns = [("mix and truth", truth[:, 0, 0].numpy())]
    for (family, method), path in zip(settings["runs"], inputs[1:], strict=True):
        columns.append((f"{method.replace('_', ' ')}\n{family}", np.load(path, allow_pickle=False)[:, 0]))
    figure, panels = plt.subplots(
        len(mix) + 1,
        len(columns),
        figsize=(2.9 * len(columns), 1.35 * (len(mix) + 1)),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    rows = []
    for column, (name, waves) in enumerate(columns):
        panels[0, column].set_title(name)
        waves = np.concatenate([waves.mean(0, keepdims=True) if column else total[0].numpy() / len(mix), waves])
        for axes, source, wave, right in zip(
            panels[:, column], ["mix", *mix], waves, [None, *truth[:, 0, 0].numpy()], strict=True
        ):
            colour = "black" if source == "mix" else plotting.style(settings["sources"])[source]["color"]
            if column and right is not None:
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
    for axes, name in zip(panels[:, 0], ["mix", *mix], strict=True):
        axes.set(ylabel=name, ylim=(-1.6, 1.6))
    for axes in panels[-1]:
        axes.set_xlabel("time (ms)")
    return figure, pd.concat(rows)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
