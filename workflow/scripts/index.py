"""Write the page that tells a run's story: what was asked, what came out, sounds, every figure, and the record."""

import json
from pathlib import Path

import numpy as np
import soundfile
from audiopriors import files, plotting, runtime, tables
from audiopriors.errors import UserError
from audiopriors.files import write_bytes
from audiopriors.pages import forming, pictures, rendering, sounds, story
from audiopriors.pages.numbers import number
from audiopriors.pipeline.figures import FIGURES, SYNTHESISED
from audiopriors.pipeline.tables import TABLES


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--figures", "PNGs; PDFs and CSVs are beside them", many=True)
    program.input("--tables", "CSVs", many=True)
    program.input("--sounds", "what the sounds of a data set are (JSON)", many=True, required=False)
    program.input("--wavs", "their folder", many=True, required=False)
    program.input("--states", "estimates at each noise level", many=True, required=False)
    program.input("--traces", "the noise levels", many=True, required=False)
    program.input("--pages", "pages of recordings", many=True, required=False)
    program.output("--output", "HTML")
    arguments = program.arguments()
    settings, page = arguments.settings, arguments.output
    named = {Path(path).stem: path for path in arguments.tables}
    if "claims" not in named:
        raise UserError("--tables: there is no claims.csv; the page shows its verdicts")
    figures = {of["facts"]["dataset"]: of["claims"] for of in settings["datasets"]}
    rows = story.claims(tables.read_csv(named["claims"]), figures)
    remaining = {
        name: iter(getattr(arguments, name)) for name in ("figures", "sounds", "wavs", "states", "traces", "pages")
    }
    datasets = [of_data(of, remaining, named, page) for of in settings["datasets"]]
    write_bytes(page, rendering.render(
        "index", heard=any(data["listen"] for data in datasets),
        scale=settings["scale"], paper_size=settings["paper_size"],
        headlines=story.headlines(settings["headlines"], rows), claims=rows, counts=story.counts(rows),
        datasets=datasets,
        costs=story.costs(tables.read_csv(named["costs"])) if "costs" in named else [],
        record=story.record(arguments.tables),
        tables=[(name, TABLES[name].caption.format(**settings["datasets"][0]["facts"]), pictures.link(path, page))
                for name, path in named.items()],
        links={name: pictures.link(path, page) for name, path in settings["links"].items()},
    ))  # fmt: skip


def of_data(of: dict, remaining: dict, named: dict[str, str], page: str) -> dict:
    """What the page shows of one data set. remaining: paths of files, in the order of the data sets."""
    dataset, titles = of["facts"]["dataset"], of["titles"]
    colours = {source: look["color"] for source, look in plotting.style(of["sources"]).items()}
    separated = []
    if "separation" in named:
        table = tables.read_csv(named["separation"])
        separated = story.separations(table[table["dataset"] == dataset], of["first_mix"])
    shown = [figure(name, next(remaining["figures"]), of, page) for name in of["figures"]]
    firsts = [story.anchor(name, dataset) for name in ("dilemma", "fidelity")]
    listen = mixed = None
    if of["sounds"]:
        listen, mixed = heard(json.loads(Path(next(remaining["sounds"])).read_text("utf-8")),
                              Path(next(remaining["wavs"])), colours)  # fmt: skip
    slider = None
    if of["forming"]:
        states = files.read_array(next(remaining["states"]))
        sigmas = files.read_rows([next(remaining["traces"])]).groupby("level")["sigma"].first().tolist()
        sources = of["forming"]["sources"]
        slider = forming.forming(states, sigmas, sources, mixed["rate"], [colours[one] for one in sources],
                                 [mixed["truth"][one] for one in sources])  # fmt: skip
    return {
        "name": dataset, "titles": titles, "sources": colours, "separated": separated, "listen": listen,
        "forming": slider, "of_forming": of["forming"] and described(of["forming"], titles),
        "recordings": [(said, pictures.link(next(remaining["pages"]), page)) for said in of["recordings"]],
        "first": next((one for one in shown if one.anchor in firsts), None), "compared": "fidelity" in of["figures"],
        "figures": shown, "remark": SYNTHESISED if of["kind"] == "music" else "", "first_mix": titles[of["first_mix"]],
    }  # fmt: skip


def figure(name: str, path: str, of: dict, page: str) -> pictures.Picture:
    """A figure with what its caption and title say."""
    facts = of["facts"]
    caption = FIGURES[name].caption_of(of["kind"]).format(**facts)
    return pictures.picture(path, page, story.anchor(name, facts["dataset"]), name.replace("_", " "), caption)


def described(run: dict, titles: dict[str, str]) -> str:
    """A run in words."""
    return f"{titles[run['method']]}, {titles[run['prior']]}"


def heard(index: dict, folder: Path, colours: dict[str, str]) -> tuple[dict, dict]:
    """The first mix: a row for the truth and for each method, the best first; and its rate and true waves."""
    mix = index["mixes"][0]
    names = ["mix", *mix["sources"]]
    waves = [{name: wave(folder / row["files"][name]) for name in names} for row in mix["rows"]]
    truth, rate = waves[0], index["rate"]
    scales = {name: sounds.ends(truth[name]) for name in names}
    rows = [
        {
            "title": row["title"],
            "mean": np.mean(list(row["si_sdr"].values())) if "si_sdr" in row else np.inf,
            "clips": [
                sounds.clip(name, row["title"], of_row[name], rate, colour=colours.get(name, "currentColor"),
                            scales=scales[name], truth=truth[name] if "si_sdr" in row else None,
                            value=f"{number(row['si_sdr'][name])} dB" if name in row.get("si_sdr", {}) else "")
                for name in names
            ],
        }
        for row, of_row in zip(mix["rows"], waves, strict=True)
    ]  # fmt: skip
    seconds = len(truth["mix"]) / rate
    shown = {"heading": mix["heading"], "seconds": seconds, "rows": sorted(rows, key=lambda row: -row["mean"])}
    return shown, {"rate": rate, "truth": truth}


def wave(path: Path) -> np.ndarray:
    """The samples of a wav file."""
    return soundfile.read(path, dtype="float32")[0]


if __name__ == "__main__":
    runtime.run(main)
