"""The example mixes, their true sources and every method's estimates as wav files, and a page that plays them."""

import base64
import html
from pathlib import Path

import numpy as np
import soundfile
from audiopriors import registry, runtime, separation
from audiopriors.files import write_bytes


def main() -> None:
    parser = runtime.parser(__doc__)
    parser.add_argument("--data", required=True, help="the data set's items")
    parser.add_argument("--examples", nargs="+", required=True, help="estimates (N, examples, frame), one file a run")
    parser.add_argument("--wavs", required=True, help="output: a folder of wav files")
    parser.add_argument("--page", required=True, help="output: HTML that needs no other file")
    arguments = parser.parse_args()
    settings = arguments.settings
    data = registry.open_data(settings["data"], arguments.data)
    folder = Path(arguments.wavs)
    folder.mkdir(parents=True, exist_ok=True)

    def play(name: str, wave: np.ndarray) -> str:
        # Only what would clip is turned down: levels stay comparable.
        wave = np.nan_to_num(wave) / max(1.0, float(np.abs(np.nan_to_num(wave)).max()))
        path = folder / f"{name}.wav"
        soundfile.write(path, wave, data.rate, subtype="PCM_16")
        sound = base64.b64encode(path.read_bytes()).decode()
        return f'<td><audio controls loop src="data:audio/wav;base64,{sound}"></audio></td>'

    parts = []
    for mix in settings["mixes"]:
        truth, total = separation.mixes(data, mix, settings["examples"], settings["frame"])
        runs = [
            (family, method, np.load(path, allow_pickle=False))
            for (family, method, of), path in zip(settings["runs"], arguments.examples, strict=True)
            if of == "+".join(mix)
        ]
        for example in range(truth.shape[1]):
            name = f"{'+'.join(mix)}_{example}"
            parts.append(f"<h2>{html.escape(' + '.join(mix))}, test mix {example}</h2><table>")
            parts.append("<tr><th></th>" + "".join(f"<th>{html.escape(one)}</th>" for one in ["mix", *mix]) + "</tr>")
            waves = [("truth", truth[:, example, 0].numpy(), total[example, 0].numpy() / len(mix))]
            waves += [(f"{family}_{method}", run[:, example], run[:, example].mean(0)) for family, method, run in runs]
            for label, sources, mean in waves:
                players = [
                    play(f"{name}_{label}_{one}", wave)
                    for one, wave in zip(["mix", *mix], [mean, *sources], strict=True)
                ]
                parts.append(f"<tr><th>{html.escape(label.replace('_', ' '))}</th>{''.join(players)}</tr>")
            parts.append("</table>")
    seconds = settings["frame"] / data.rate
    page = (
        "<!doctype html><meta charset='utf-8'><title>Separated mixes</title><style>body{font-family:sans-serif}"
        "th{text-align:left;padding-right:1em}audio{width:11em}</style><h1>Separated mixes</h1>"
        f"<p>Each clip lasts {seconds:.3g} s and loops. First row: the truth.</p>" + "".join(parts)
    )
    write_bytes(arguments.page, page.encode())


if __name__ == "__main__":
    runtime.run(main)
