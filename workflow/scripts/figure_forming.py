"""How the estimates of one mix form along sigma: each source at some of the sampler's levels, over the true wave."""

import numpy as np
import pandas as pd
from audiopriors import files, plotting, registry
from audiopriors.separation import running as separation

COLUMNS = 6


def draw(settings, inputs):
    data = registry.open_data(settings["data"], inputs[0])
    truth, *_ = separation.mixes(data, settings["mix"], 1, settings["frame"])
    states, trace = files.read_array(inputs[1]), files.read_rows([inputs[2]])
    sigmas = trace.groupby("level")["sigma"].first()
    chosen = np.unique(np.linspace(0, len(states) - 1, COLUMNS).round().astype(int))
    figure, panels = plotting.grid(len(truth), len(chosen), 1.2, sharex=True, sharey=True)
    rows = []
    for line, source, right, estimates in zip(
        panels, settings["mix"]["sources"], truth, states.swapaxes(0, 1), strict=True
    ):
        for axes, level in zip(line, chosen, strict=True):
            right_one = right[0, 0].numpy()
            wave, time = plotting.waveform(axes, settings["sources"], source, estimates[level], right_one, data.rate)
            rows.append(
                pd.DataFrame({"source": source, "sigma": sigmas[level], "time": time, "estimate": wave,
                              "truth": right_one[: len(wave)]})
            )  # fmt: skip
        plotting.name_row(line, source)
    for axes, level in zip(panels[0], chosen, strict=True):
        axes.set_title(f"σ = {sigmas[level]:.3g}")
    figure.supxlabel("time (ms)")
    return figure, pd.concat(rows)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
