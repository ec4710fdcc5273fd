"""Separate and score recordings with the priors that come with the package, without Snakemake.

It runs the programs that the workflow's rules run, with the settings that the priors' cards have.
"""

from __future__ import annotations

import argparse
import json
import runpy
import sys
from pathlib import Path

from . import runtime
from .audio import roots
from .errors import UserError
from .shipped_priors import DEFAULT, Shipped, bundle, shipped

SCRIPTS = Path(__file__).parents[1]  # of a clone; an installed package has these programs in a folder of its own
PROGRAMS = Path(__file__).with_name("programs")
PAGE = "index.html"
INTERRUPTED = 130  # as shells say that Ctrl-C ended a program


def main() -> None:
    """The console script `audiopriors`."""
    arguments = _parser().parse_args()
    try:
        with runtime.errors_as_sentences():
            arguments.run(arguments)
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        sys.exit(INTERRUPTED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="audiopriors", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(title="commands", required=True)
    for name, run, what in (
        ("separate", separate, "one wav file for each source, and a page that plays them"),
        ("score", score, "the likelihood of each frame under each prior, as a table, a figure and a page"),
    ):
        command = commands.add_parser(
            name, help=f"{name} a recording: {what}", description=f"{name} a recording: {what}"
        )
        command.add_argument("recording", type=Path, help="any file with sound that ffmpeg decodes, such as song.wav")
        command.add_argument("--priors", default=DEFAULT, help="`audiopriors priors` lists them (default: %(default)s)")
        command.add_argument("--to", type=Path, help="a folder for the results (default: results/NAME/PRIORS/...)")
        command.set_defaults(run=run)
    command = commands.add_parser(
        "priors", help="list the priors that come with the package", description=list_priors.__doc__
    )
    command.set_defaults(run=list_priors)
    return parser


def separate(arguments: argparse.Namespace) -> None:
    """Separate a recording."""
    priors, folder = _prepared(arguments, "separated")
    wavs, levels, about, forming = (folder / name for name in ("wavs", "levels.csv", "about.json", "forming.npy"))
    models, errors = [priors.prior(one) for one in priors.sources], [priors.errors(one) for one in priors.sources]
    written = ("--wavs", wavs, "--levels", levels, "--about", about, "--forming", forming)
    _run(priors, "separate_recording", f"--recording={arguments.recording}", "--priors", *models, "--errors", *errors,
         *written)  # fmt: skip
    figure = _drawn(priors, "figure_separated_file", folder / "separated", wavs, levels)
    _run(priors, "page_of_file", *written, "--figure", figure, "--output", folder / PAGE)
    print(f"{folder / PAGE}\n{wavs}: {', '.join(path.name for path in sorted(wavs.glob('*.wav')))}")


def score(arguments: argparse.Namespace) -> None:
    """Score a recording."""
    priors, folder = _prepared(arguments, "scored")
    scores, maps = folder / "scores.csv", folder / "maps.parquet"
    models = [priors.prior(one["prior_source"]) for one in priors.card["programs"]["score_recording"]["priors"]]
    _run(priors, "score_recording", f"--recording={arguments.recording}", "--priors", *models, "--output", scores,
         "--maps", maps)  # fmt: skip
    figure = _drawn(priors, "figure_scored_file", folder / "scores_figure", scores, maps)
    recording = f"--recording={arguments.recording}"
    _run(priors, "page_of_file", recording, "--scores", figure, "--output", folder / PAGE)
    print(f"{folder / PAGE}\n{scores}")


def list_priors(arguments: argparse.Namespace) -> None:
    """List the priors that come with the package: what they were trained on, how well they separate, their limits."""
    for name, one in shipped().items():
        card, quality = one.card, one.card["separation"]
        print(
            f"{name}: {', '.join(one.sources)}",
            f"{card['family']}, {card['parameters']} parameters, {card['training']['steps']} steps; {card['licence']}",
            f"{quality['n']} test mixes: median SI-SDR {quality['si_sdr_median']:.1f} dB [{quality['low']:.1f}, "
            f"{quality['high']:.1f}], mean improvement {quality['si_sdr_improvement_mean']:.1f} dB",
            card["limits"],
            one.folder,
            sep="\n  ",
        )


def _prepared(arguments: argparse.Namespace, what: str) -> tuple[Shipped, Path]:
    """The priors and the folder of results, once both can be used."""
    priors = bundle(arguments.priors, for_recordings=True)
    problem = roots.problem_of_recording(arguments.recording)
    if problem:
        raise UserError(problem)
    folder = arguments.to or Path("results", roots.short_name(arguments.recording), priors.name, what)
    return priors, folder


def _drawn(priors: Shipped, name: str, figure: Path, *inputs: Path) -> Path:
    """Draw a figure, and return the path of its PNG."""
    files = {kind: figure.with_suffix(f".{kind}") for kind in ("pdf", "png", "csv")}
    _run(priors, name, "--inputs", *inputs, *(part for kind, file in files.items() for part in (f"--{kind}", file)))
    return files["png"]


def _run(priors: Shipped, name: str, *arguments) -> None:
    """Run a program of the workflow in this process, which loads torch once."""
    folder = next(folder for folder in (PROGRAMS, SCRIPTS) if (folder / f"{name}.py").is_file())
    before = sys.argv
    settings = json.dumps(priors.card["programs"][name])
    sys.argv = [str(folder / f"{name}.py"), "--settings", settings, *map(str, arguments)]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        sys.argv = before


if __name__ == "__main__":
    main()
