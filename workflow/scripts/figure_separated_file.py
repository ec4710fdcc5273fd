"""A separated recording: waveform and spectrogram of it and of each file that was made of it."""

from pathlib import Path

import numpy as np
import soundfile
from audiopriors import plotting, tables

SECONDS = 30  # of a long recording


def draw(settings, inputs):
    wavs, table = Path(inputs[0]), tables.read_csv(inputs[1]).set_index("source")
    colours = {source: look["color"] for source, look in plotting.style(settings["sources"]).items()}
    waves = {}
    for source in [*settings["sources"], "rest"]:
        rate = soundfile.info(wavs / f"{source}.wav").samplerate
        audio, rate = soundfile.read(wavs / f"{source}.wav", frames=SECONDS * rate, dtype="float32", always_2d=True)
        waves[source] = audio.mean(1)
    waves = {"the recording": np.sum(list(waves.values()), axis=0), **waves}
    figure, panels = plotting.grid(2, len(waves), 1.7, margin=1.1, sharex=True, sharey="row")
    for (upper, lower), (name, wave) in zip(panels.T, waves.items(), strict=True):
        upper.plot(np.arange(len(wave)) / rate, wave, color=colours.get(name, "black"), linewidth=0.4)
        title = name
        if name in table.index:
            row = table.loc[name]
            title += f"\n{row['level_to_mix_db']:.1f} dB"
            if np.isfinite(row["si_sdr"]):
                title += f"\nSI-SDR {row['si_sdr']:.1f} dB\n(recording: {row['si_sdr_mix']:.1f})"
        upper.set_title(title.replace("-", "−").replace("SI−", "SI-"), fontsize=plotting.SMALL)
        shown = plotting.spectrogram(lower, wave, rate)
    panels[0, 0].set_ylabel("amplitude")
    panels[1, 0].set_ylabel("frequency (Hz)")
    panels[1, 0].axhline(settings["rate"] / 2, color="white", linewidth=0.8, linestyle=":")
    figure.supxlabel("time (s)")
    figure.colorbar(shown, ax=panels[1], label="dB", pad=0.01)
    return figure, table.reset_index()


if __name__ == "__main__":
    plotting.program(__doc__, draw)
