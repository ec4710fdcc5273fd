"""What posterior models make of the first test mix: their means and 95 % bands over the true sources."""

import pandas as pd
from audiopriors import files, plotting, registry
from audiopriors.separation import running as separation


def draw(settings, inputs):
    data, mix = registry.open_data(settings["data"], inputs[0]), settings["mix"]["sources"]
    truth, _, _ = separation.mixes(data, settings["mix"], 1, settings["frame"])
    figure, panels = plotting.grid(len(inputs) - 1, len(mix), 1.3, sharex=True, sharey=True)
    rows = []
    for line, name, path in zip(panels, settings["posteriors"], inputs[1:], strict=True):
        bands = files.read_array(path)[:, :, 0]  # mean, low and high, of each source
        for axes, source, right, (mean, low, high) in zip(
            line, mix, truth[:, 0, 0].numpy(), bands.transpose(1, 0, 2), strict=True
        ):
            wave, time = plotting.waveform(axes, settings["sources"], source, mean, right, data.rate)
            low, high = low[: len(wave)], high[: len(wave)]
            axes.fill_between(time, low, high, color=axes.lines[-1].get_color(), alpha=0.3, linewidth=0)
            rows.append(pd.DataFrame({"posterior": name, "source": source, "time": time / 1000, "mean": wave,
                                      "low": low, "high": high}))  # fmt: skip
        plotting.name_row(line, plotting.title(settings, name, plotting.LETTERS))
    for axes, source in zip(panels[0], mix, strict=True):
        axes.set_title(source)
    figure.supxlabel("time (ms)")
    return figure, pd.concat(rows)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
