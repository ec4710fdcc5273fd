"""Write the example mixes, their true sources and every method's estimates as wav files, and a page that plays them."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import torch
from audiopriors import files, metrics, registry, runtime
from audiopriors.data.base import Frames
from audiopriors.files import write_bytes
from audiopriors.pages import rendering, sounds
from audiopriors.separation import running as separation

Row = tuple[str, dict, np.ndarray, np.ndarray]  # name in paths, what it is, sources (N, T), their mix (T,)


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--data", "the data set's items")
    program.input("--examples", "estimates (N, examples, frame), one file a run", many=True)
    program.output("--wavs", "a folder of wav files")
    program.output("--index", "what each wav file is (JSON), for other pages")
    program.output("--page", "HTML that needs no other file")
    arguments = program.arguments()
    settings = arguments.settings
    data = registry.open_data(settings["data"], arguments.data)
    folder = Path(arguments.wavs)
    folder.mkdir(parents=True, exist_ok=True)
    mixes, shown = [], []
    for mix in settings["mixes"]:
        for example, rows in enumerate(rows_of(settings, mix, data, arguments.examples)):
            heading = f"{settings['titles'][mix['name']]}: {' + '.join(mix['sources'])}, test mix {example}"
            written = [
                described | write_wavs(folder, f"{mix['name']}_{example}_{label}", mix, waves, mixed, data.rate)
                for label, described, waves, mixed in rows
            ]
            mixes.append({"heading": heading, "mix": mix["name"], "sources": mix["sources"], "rows": written})
            shown.append((heading, [
                (described["title"], [sounds.sound(wave, data.rate) for wave in (mixed, *waves)])
                for _, described, waves, mixed in rows
            ]))  # fmt: skip
    index = {"dataset": settings["dataset"], "rate": data.rate, "mixes": mixes}
    write_bytes(arguments.index, (json.dumps(index, indent=1) + "\n").encode())
    page = rendering.render(
        "listen", title="Separated mixes", dataset=settings["dataset"], seconds=settings["frame"] / data.rate,
        mixes=[(heading, mix["sources"], rows) for (heading, rows), mix in zip(shown, mixes, strict=True)],
    )  # fmt: skip
    write_bytes(arguments.page, page)


def rows_of(settings: dict, mix: dict, data: Frames, paths: list[str]) -> Iterator[list[Row]]:
    """Of each example of a mix: the truth, and the estimates of each run that has the example."""
    titles = settings["titles"]
    truth, total, _ = separation.mixes(data, mix, settings["examples"], settings["frame"])
    runs = [
        (prior, method, files.read_array(path))
        for (prior, method, of), path in zip(settings["runs"], paths, strict=True)
        if of == mix["name"]
    ]
    divisor = data.mix_divisor(mix["sources"])
    for example in range(truth.shape[1]):
        right = truth[:, example, 0]
        rows = [("truth", {"title": "truth"}, right.numpy(), total[example, 0].numpy() / divisor)]
        for prior, method, run in runs:
            if example < run.shape[1]:
                estimates = run[:, example]
                quality = metrics.si_sdr(torch.from_numpy(estimates), right).tolist()
                described = {
                    "title": f"{titles[method]}: {titles[prior]}", "prior": prior, "method": method,
                    "si_sdr": dict(zip(mix["sources"], quality, strict=True)),
                }  # fmt: skip
                rows.append((f"{prior}_{method}", described, estimates, estimates.sum(0) / divisor))
        yield rows


def write_wavs(folder: Path, begin: str, mix: dict, waves: np.ndarray, mixed: np.ndarray, rate: int) -> dict:
    """Write the mix and its sources; the names of their files."""
    names = {}
    for name, wave in zip(["mix", *mix["sources"]], [mixed, *waves], strict=True):
        names[name] = f"{begin}_{name}.wav"
        soundfile.write(folder / names[name], sounds.playable(wave), rate, subtype="PCM_16")
    return {"files": names}


if __name__ == "__main__":
    runtime.run(main)
