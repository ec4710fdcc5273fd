"""Write the example mixes, their true sources and every method's estimates as wav files, and a page that plays them."""

import html
from pathlib import Path

import soundfile
from audiopriors import files, pages, registry, runtime
from audiopriors.files import write_bytes
from audiopriors.separation import running as separation


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--data", "the data set's items")
    program.input("--examples", "estimates (N, examples, frame), one file a run", many=True)
    program.output("--wavs", "a folder of wav files")
    program.output("--page", "HTML that needs no other file")
    arguments = program.arguments()
    settings = arguments.settings
    titles = settings["titles"]
    data = registry.open_data(settings["data"], arguments.data)
    folder = Path(arguments.wavs)
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for mix in settings["mixes"]:
        truth, total, _ = separation.mixes(data, mix, settings["examples"], settings["frame"])
        runs = [
            (prior, method, files.read_array(path))
            for (prior, method, of), path in zip(settings["runs"], arguments.examples, strict=True)
            if of == mix["name"]
        ]
        divisor = data.mix_divisor(mix["sources"])
        for example in range(truth.shape[1]):
            lines = [("truth", "truth", truth[:, example, 0].numpy(), total[example, 0].numpy() / divisor)]
            lines += [(f"{prior}_{method}", f"{titles[method]}: {titles[prior]}", run[:, example],
                       run[:, example].sum(0) / divisor)
                      for prior, method, run in runs if example < run.shape[1]]  # fmt: skip
            rows = [pages.head(["mix", *mix["sources"]])]
            for label, title, sources, mixed in lines:
                waves = dict(zip(["mix", *mix["sources"]], [mixed, *sources], strict=True))
                for source, wave in waves.items():
                    path = folder / f"{mix['name']}_{example}_{label}_{source}.wav"
                    soundfile.write(path, pages.playable(wave), data.rate, subtype="PCM_16")
                rows.append(pages.row(title, [pages.player(wave, data.rate) for wave in waves.values()]))
            heading = f"{titles[mix['name']]}: {' + '.join(mix['sources'])}, test mix {example}"
            parts.append(f"<h2>{html.escape(heading)}</h2><table>{''.join(rows)}</table>")
    introduction = (
        f"Data set {settings['dataset']}. Each clip lasts {settings['frame'] / data.rate:.3g} s and loops. First row: "
        "the truth."
    )
    write_bytes(arguments.page, pages.page("Separated mixes", introduction, "".join(parts)))


if __name__ == "__main__":
    runtime.run(main)
