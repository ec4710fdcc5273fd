"""Write the page of a user's recording: the parts it was separated into, to see and hear, or how priors score it."""

import json
from pathlib import Path

import numpy as np
import soundfile
from audiopriors import files, plotting, runtime, tables
from audiopriors.audio import roots
from audiopriors.errors import UserError
from audiopriors.files import write_bytes
from audiopriors.pages import forming, pictures, rendering, sounds, story
from audiopriors.pages.numbers import number
from audiopriors.pipeline.figures import CAPTIONS

LISTEN = 30  # seconds that can be heard
REST = "rest"  # beside the sources


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--wavs", "a folder, SOURCE.wav and rest.wav: they add up to the recording", required=False)
    program.input("--levels", "the level of each source, and its SI-SDR, if known", required=False)
    program.input("--about", "the recording's name and length, what it was separated with, and remarks", required=False)
    program.input("--forming", "the estimates of its beginning at each noise level", required=False)
    program.input("--figure", "the figure of the separated recording", required=False)
    program.input("--scores", "the figure of the scored recording", required=False)
    program.option("--recording", type=Path, help="the scored recording, for its name")
    program.output("--output", "HTML")
    arguments = program.arguments()
    settings, page = arguments.settings, arguments.output
    separation = [arguments.wavs, arguments.levels, arguments.about, arguments.forming, arguments.figure]
    if not all(separation) and (any(separation) or not (arguments.scores and arguments.recording)):
        raise UserError(
            "give --wavs, --levels, --about, --forming and --figure together, or --scores and --recording, or all"
        )
    separated = separation_of(arguments, settings) if all(separation) else None
    of_song = CAPTIONS["real_song"] if settings["recording"] == roots.REAL_SONG else ""
    shown = [("separated", arguments.figure, ""), ("scored", arguments.scores, "scores_figure.csv")]
    figures = [
        pictures.picture(path, page, f"figure-{name}", f"the recording, {name}",
                         CAPTIONS[f"figure_{name}_file"].format(**settings["facts"]) + of_song, data)
        for name, path, data in shown
        if path
    ]  # fmt: skip
    kept = [arguments.levels, *sorted(Path(arguments.wavs).glob("*.wav"))] if separated else []
    write_bytes(page, rendering.render(
        "file", heard=separated is not None,
        recording=separated["about"]["recording"] if separated else arguments.recording.name,
        facts=settings["facts"], separated=separated, figures=figures,
        files=[(Path(path).name, pictures.link(path, page)) for path in kept],
        record=story.record([*([arguments.levels] if separated else []), *filter(None, [beside_scores(arguments)])]),
    ))  # fmt: skip


def beside_scores(arguments) -> Path | None:
    """The table that the figure of scores is drawn from."""
    return Path(arguments.scores).with_name("scores.csv") if arguments.scores else None


def separation_of(arguments, settings: dict) -> dict:
    """What the page shows of a separation."""
    about = json.loads(Path(arguments.about).read_text("utf-8"))
    levels = tables.read_csv(arguments.levels)
    names = levels["source"].tolist()
    colours = {source: look["color"] for source, look in plotting.style(settings["sources"]).items()}
    colours[REST] = "currentColor"
    waves = {name: beginning(Path(arguments.wavs) / f"{name}.wav") for name in names}
    mixed, rate = np.sum([wave for wave, _ in waves.values()], axis=0), next(iter(waves.values()))[1]
    scales = sounds.ends(mixed)
    clips = [sounds.clip("recording", "as it is", mixed, rate, colour="currentColor", scales=scales)]
    clips += [
        sounds.clip(name, "estimate", wave, rate, colour=colours[name], scales=scales,
                    value=f"{number(level)} dB")
        for (name, (wave, _)), level in zip(waves.items(), levels["level_to_mix_db"], strict=True)
    ]  # fmt: skip
    sources = [name for name in names if name != REST]
    states = files.read_array(arguments.forming)
    titles = settings["titles"]
    return {
        "about": about, "levels": levels.to_dict("records"), "colours": colours, "clips": clips,
        "seconds": len(mixed) / rate,
        "prior": titles.get(about["prior"], about["prior"]), "method": titles.get(about["method"], about["method"]),
        "forming": forming.forming(states, about["sigmas"], sources, about["priors_rate"],
                                   [colours[name] for name in sources]),
    }  # fmt: skip


def beginning(path: Path) -> tuple[np.ndarray, int]:
    """The first seconds of a wav file (samples, channels), and its rate."""
    with soundfile.SoundFile(path) as file:
        return file.read(LISTEN * file.samplerate, dtype="float32", always_2d=True), file.samplerate


if __name__ == "__main__":
    runtime.run(main)
