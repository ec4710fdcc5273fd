"""Pages: what they draw of sounds, what they say of tables, and made-up runs and recordings in a real browser."""

import base64
import json
from pathlib import Path

import browsers
import index
import numpy as np
import page_of_file
import pandas as pd
import pytest
import soundfile
from audiopriors import files, runtime
from audiopriors.columns import COLUMNS
from audiopriors.errors import UserError
from audiopriors.pages import forming, numbers, pictures, rendering, sounds, story
from PIL import Image

RATE = 16000
SOURCES = ["sine", "saw"]
STRANGE = "<b>&\"'x"


def tone(seconds: float, hertz: float = 1000.0, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.99412, "0.994"), (37.42, "37.4"), (-5.94, "−5.94"), (1234.5, "1\N{NO-BREAK SPACE}234"), (0, "0.00"),
     (1e-9, "0.000000"), (float("nan"), "–"), (float("inf"), "∞"), (float("-inf"), "−∞")],
)  # fmt: skip
def test_numbers_have_three_digits_and_true_minus_signs(value, said):
    assert numbers.short(value) == said


@pytest.mark.parametrize("seconds", [0.002, 0.064, 0.1, 0.256, 3.0])
def test_the_outline_of_a_wave_stays_in_its_box_and_shows_its_loudest_sample(seconds):
    wave = tone(seconds, 400)
    path = sounds.outline(wave, RATE, 0.5)
    places = np.array([point.split(",") for point in path.removeprefix("M").split()], float)
    assert path.startswith("M") and len(path) < 10000 and (np.diff(places[:, 0]) >= 0).all()
    assert places[:, 0].min() >= 0 and places[:, 0].max() <= sounds.WIDTH
    assert places[:, 1].min() == pytest.approx(0, abs=0.5)
    # On a scale that is twice as large the wave is half as high, and a louder one is cut off at the edge.
    half = sounds.outline(wave, RATE, 1.0)
    assert min(float(point.split(",")[1]) for point in half[1:].split()) == pytest.approx(sounds.HEIGHT / 4, abs=0.5)
    assert ",-" not in sounds.outline(3 * wave, RATE, 0.5)


def test_what_is_no_number_in_a_wave_draws_nothing_and_sounds_like_nothing():
    wave = np.array([0, np.nan, 0.5, np.inf, -np.inf] * 100, np.float32)
    assert "nan" not in sounds.outline(wave, RATE, 0.5)
    assert np.isfinite(sounds.power(wave)).all() and np.isfinite(sounds.playable(wave)).all()
    assert np.abs(sounds.playable(wave)).max() <= 1
    silent = np.zeros(1000, np.float32)
    clip = sounds.clip("a", "b", silent, RATE, colour="red", scales=sounds.ends(silent))
    assert clip.sound.startswith("data:audio/wav") and clip.picture.startswith("data:image/png")


@pytest.mark.parametrize("seconds", [0.001, 0.064, 0.3, 5.0])
@pytest.mark.parametrize("hertz", [1000, 3000, 7000])
def test_a_spectrogram_has_its_tone_at_its_frequency(seconds, hertz):
    power = sounds.power(tone(seconds, hertz))
    assert power.shape[0] <= sounds.ROWS and power.shape[1] <= sounds.COLUMNS + 1
    loudest = (power.mean(1).argmax() + 0.5) / len(power) * RATE / 2
    assert loudest == pytest.approx(hertz, abs=1.5 * RATE / 2 / len(power))


def decoded(address: str) -> tuple[bytes, str]:
    head, content = address.split(",", 1)
    return base64.b64decode(content), head


def test_a_spectrogram_is_darker_by_its_range(tmp_path):
    wave = tone(0.3)
    loudest = sounds.power(wave).max()
    images = []
    for level in (0, -sounds.RANGE / 2, -3 * sounds.RANGE):
        content, head = decoded(sounds.spectrogram(wave * 10 ** (level / 20), loudest))
        assert head == "data:image/png;base64"
        (tmp_path / "s.png").write_bytes(content)
        images.append(np.array(Image.open(tmp_path / "s.png").convert("L")).max())
    assert images[0] > images[1] > images[2] and images[2] < 5


@pytest.mark.parametrize(
    ("seconds", "rate", "channels"),
    [(0.5, 16000, 1), (1.5, 16000, 1), (1.5, 44100, 2), (1.2, 96000, 2), (1.2, 7350, 6)],
)
def test_sounds_can_be_read_again(seconds, rate, channels, tmp_path):
    wave = np.tile(tone(seconds, 440, rate)[:, None], (1, channels))
    content, head = decoded(sounds.sound(wave, rate))
    (tmp_path / "sound").write_bytes(content)
    read, read_rate = soundfile.read(tmp_path / "sound", always_2d=True)
    assert head == ("data:audio/wav;base64" if seconds <= 1 else "data:audio/mpeg;base64")
    assert len(read) / read_rate == pytest.approx(seconds, abs=0.15)
    assert np.abs(read).max() == pytest.approx(0.5, abs=0.05)
    assert seconds <= 1 or len(content) < 0.3 * wave.size * 2 or channels == 1


def test_forming_ends_at_the_last_level():
    states = np.stack([[tone(0.064) * level, tone(0.064, 500) * level] for level in np.linspace(0, 1, 100)])
    sigmas = np.geomspace(5, 0.01, 100).tolist()
    slider = forming.forming(states.astype(np.float32), sigmas, SOURCES, RATE, ["red", "blue"])
    assert len(slider.levels) == forming.MOST
    assert slider.levels[0]["sigma"] == "σ = 5.00" and slider.levels[-1]["sigma"] == "σ = 0.0100"
    last = slider.levels[-1]["clips"]
    assert [clip.outline for clip in slider.clips] == [part["outline"] for part in last]
    assert last[0]["outline"] != slider.levels[0]["clips"][0]["outline"]


UNMEASURED = dict.fromkeys(("measured", "low", "high"), np.nan) | {
    "claim": "third", "verdict": "undecided: not measured here",
}  # fmt: skip


def claim(**changes) -> dict:
    row = dict.fromkeys(COLUMNS["claims"], float("nan")) | {
        "claim": "a claim", "where": "here", "dataset": "toy", "prior": "score", "published": "no", "scale": "smoke",
        "verdict": "holds", "rule": "auroc above 0.9", "measured": 0.95, "low": 0.92, "high": 0.97,
    }  # fmt: skip
    return row | changes


def test_claims_have_their_row_and_their_figure():
    table = pd.DataFrame(
        [claim(), claim(claim="another", verdict="undecided at this scale", low=0.5), claim(**UNMEASURED)]
    )
    rows = story.claims(table, {"toy": {"a claim": "detection"}})
    assert [row.anchor for row in rows] == ["claim-1", "claim-2", "claim-3"]
    assert [row.figure for row in rows] == ["figure-detection-toy", "", ""]
    assert [row.verdict for row in rows] == ["holds", "undecided", "undecided"]
    assert story.counts(rows) == {"holds": 1, "does not hold": 0, "depends on the metric": 0, "undecided": 2}
    strip = rows[0].strip
    assert strip.bounds[0] < strip.low < strip.value < strip.high and rows[2].strip is None
    assert rows[1].strip.low < rows[1].strip.bounds[0] < rows[1].strip.high
    two = story.claims(pd.DataFrame([claim(rule="auroc above -0.1 and auroc below 0.1", low=-0.05, high=0.2)]), {})
    assert len(two[0].strip.bounds) == 2


def test_headlines_that_a_run_does_not_decide_are_left_out():
    rows = story.claims(pd.DataFrame([claim(second=0.5, second_low=0.4, second_high=0.6)]), {})
    chosen = [{"claim": "a claim", "said": "in short", "digits": 2, "also": "second"},
              {"claim": "of other data", "said": "x", "digits": 1}]  # fmt: skip
    (headline,) = story.headlines(chosen, rows)
    assert (headline.said, headline.ours, headline.other) == ("in short", False, ("by log p", 0.5, 0.4, 0.6))


@pytest.mark.parametrize(
    ("caption", "said"),
    [
        (
            "Fig. 1 of the paper, Fig. 11 of the thesis. Two periods of each source. More.",
            "x: Two periods of each source.",
        ),
        ("AUROC of items, by σ. More.", "x: AUROC of items, by σ."),
        ("Section 3.3 of the paper: mean likelihood. A line.", "x: Section 3.3 of the paper: mean likelihood."),
        ("Fig. 4 of the paper.", "x: Fig. 4 of the paper."),
    ],
)
def test_a_figures_text_is_what_its_caption_says_first(caption, said):
    assert pictures.Picture("a", "x", caption, "", 1, 1, {}).alternative == said


def png(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 255, (90, 600, 3), np.uint8)
    Image.fromarray(noise).save(path)
    for kind in (".pdf", ".csv"):
        path.with_suffix(kind).write_text("x")
    return path


def test_a_missing_or_broken_figure_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="there is no such figure"):
        pictures.picture(tmp_path / "a.png", tmp_path / "index.html", "a", "a", "c")
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(UserError, match="is no picture"):
        pictures.picture(tmp_path / "a.png", tmp_path / "index.html", "a", "a", "c")


def test_pages_escape_what_they_show():
    page = rendering.render("table", title=STRANGE, columns=["a", STRANGE], rows=[["\udcff", STRANGE]]).decode()
    assert "<b>" not in page and page.count("&lt;b&gt;&amp;&#34;&#39;x") >= 3 and "<td>?</td>" in page


def test_names_in_captions_are_set_as_code_and_all_else_is_escaped():
    set_apart = rendering.with_names(f"See `costs`, {STRANGE} and `<i>`; ` alone.")
    assert set_apart == "See <code>costs</code>, &lt;b&gt;&amp;&#34;&#39;x and <code>&lt;i&gt;</code>; ` alone."


def run(program, settings: dict, *arguments: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "current", runtime.current)  # other tests' records know nothing of this run
        runtime.run(program.main, [f"{program.__name__}.py", "--settings", json.dumps(settings), *map(str, arguments)])


def refused(program, settings: dict, *arguments: str) -> None:
    with pytest.raises(SystemExit):
        run(program, settings, *arguments)


FACTS = {"scale": "smoke", "dataset": "toy", "frame": 1024, "items": 8, "mixes": 2, "seeds": 1}


@pytest.fixture
def of_run(tmp_path) -> tuple[dict, dict[str, list[Path]], Path]:
    """Results of a made-up run: the settings of its page, the files, and the page's path."""
    results = tmp_path / "results" / "smoke"
    rows = [claim(), claim(claim=STRANGE, verdict="depends on the metric", published=STRANGE),
            claim(**UNMEASURED)]  # fmt: skip
    separated = dict.fromkeys(COLUMNS["separation"], 0.0) | {"dataset": "toy", "mix": "two", "source": "all", "n": 2}
    costs = {"what": "train_prior", "dataset": "toy", "prior": "score", "seconds": 90.0, "threads": 1, "device": "cpu",
             "jobs": 2, "memory_mb": 500.0}  # fmt: skip
    contents = {
        "claims": rows, "costs": [costs],
        "separation": [separated | {"method": method, "prior": "score"} for method in ("alternating", STRANGE)],
    }  # fmt: skip
    named: dict[str, list[Path]] = {"tables": [results / f"tables/{name}.csv" for name in contents]}
    for path, content in zip(named["tables"], contents.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(content).to_csv(path, index=False)
    record = {"code": {"commit": 40 * "a", "changed": False}, "config": {"seed": 1, "seeds": 1}, "python": "3",
              "machine": "Linux", "devices": ["cpu"], "packages": {"torch": "2"}}  # fmt: skip
    named["tables"][0].with_suffix(".json").write_text(json.dumps(record))
    named["figures"] = [png(results / f"figures/{name}_toy.png") for name in ("detection", "dilemma")]
    names = ["mix", *SOURCES]
    listed = []
    for number, title in enumerate(["truth", STRANGE, *(f"method {k}" for k in range(6))]):
        files_of = {name: f"{number}_{name}.wav" for name in names}
        for k, name in enumerate(names):
            (results / "audio/toy").mkdir(parents=True, exist_ok=True)
            soundfile.write(results / "audio/toy" / files_of[name], tone(0.064, 200 + 100 * k + number), RATE)
        quality = {"si_sdr": dict.fromkeys(SOURCES, 10.0 - number)} if number else {}
        listed.append({"title": title, "files": files_of} | quality)
    sounds_of = {"dataset": "toy", "rate": RATE,
                 "mixes": [{"heading": "two", "mix": "two", "sources": SOURCES, "rows": listed}]}  # fmt: skip
    named["sounds"], named["wavs"] = [results / "audio/toy.json"], [results / "audio/toy"]
    named["sounds"][0].write_text(json.dumps(sounds_of))
    states = np.stack([[tone(0.064, 200 + 50 * level), tone(0.064, 300 + level)] for level in range(5)])
    named["states"], named["traces"] = [results / "forming.npy"], [results / "trace.parquet"]
    files.write_array(states, named["states"][0])
    files.write_rows(pd.DataFrame({"level": range(5), "sigma": [4.0, 2, 1, 0.5, 0.1]}), named["traces"][0])
    for name in ("report.html", "checksums.txt", "song.html"):
        (results / name).write_text("x")
    named["pages"] = [results / "song.html"]
    settings = {
        "scale": "smoke", "paper_size": False,
        "links": {"report": str(results / "report.html"), "checksums": str(results / "checksums.txt")},
        "headlines": [{"claim": "a claim", "said": STRANGE, "digits": 2}],
        "datasets": [{
            "kind": "toy", "figures": ["detection", "dilemma"], "sources": SOURCES, "facts": FACTS, "first_mix": "two",
            "titles": {"two": "two sources", "alternating": STRANGE, "score": "score prior"}, "sounds": True,
            "recordings": ["song, separated"],
            "forming": {"prior": "score", "method": "alternating", "sources": SOURCES},
            "claims": {"a claim": "detection", STRANGE: "dilemma"},
        }],
    }  # fmt: skip
    return settings, named, results / "index.html"


def options(named: dict[str, list[Path]], page: Path) -> list:
    return [part for name, paths in named.items() for part in (f"--{name}", *paths)] + ["--output", page]


def test_the_page_of_a_run(of_run):
    settings, named, page = of_run
    run(index, settings, *options(named, page))
    text = page.read_text()
    assert "<b>" not in text and "aaaaaaaaaaaa" in text and 'href="report.html"' in text
    for anchor in ("claim-1", "figure-detection-toy", "figure-dilemma-toy"):
        assert text.count(f'id="{anchor}"') == 1 and f'href="#{anchor}"' in text
    assert text.index('id="figure-dilemma-toy"') < text.index('id="listen"') < text.index('id="figure-detection-toy"')
    assert "2 more methods" in text and "\\u03c3 = 4.00" in text
    first = page.read_bytes()
    run(index, settings, *options(named, page))
    assert page.read_bytes() == first


def test_a_run_without_claims_sounds_and_separations_has_a_page(of_run):
    settings, named, page = of_run
    pd.DataFrame(columns=list(COLUMNS["claims"])).to_csv(named["tables"][0], index=False)
    (data,) = settings["datasets"]
    few = settings | {
        "headlines": [],
        "datasets": [data | {"sounds": False, "recordings": [], "forming": None, "figures": ["detection"]}],
    }
    run(index, few, *options({"tables": named["tables"][:1], "figures": named["figures"][:1]}, page))
    assert "<audio" not in page.read_text() and 'id="listen"' not in page.read_text()


def test_a_page_without_its_inputs_is_one_sentence(of_run, capsys):
    settings, named, page = of_run
    named["figures"][0].unlink()
    refused(index, settings, *options(named, page))
    refused(index, settings, *options(named | {"tables": named["tables"][1:]}, page))
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert "detection_toy.png: there is no such figure" in lines[0] and "there is no claims.csv" in lines[1]
    assert not page.exists()


@pytest.fixture
def of_file(tmp_path) -> tuple[dict, dict[str, Path], Path]:
    """A made-up separation of a recording: the settings of its page, the files, and the page's path."""
    folder = tmp_path / "files"
    (folder / "wavs").mkdir(parents=True)
    for k, name in enumerate([*SOURCES, "rest"]):
        wave = np.stack([tone(1.5, 300 * (k + 1), 44100)] * 2, 1)
        soundfile.write(folder / f"wavs/{name}.wav", wave, 44100, subtype="FLOAT")
    levels = [{"dataset": "toy", "prior": "score", "method": "alternating", "source": name, "level_db": -9.0,
               "level_to_mix_db": -3.0, "si_sdr": np.nan, "si_sdr_mix": np.nan}
              for name in (*SOURCES, "rest")]  # fmt: skip
    pd.DataFrame(levels).to_csv(folder / "levels.csv", index=False)
    about = {
        "recording": f"{STRANGE} \udcff.wav", "seconds": 1.5, "samples": 66150, "rate": 44100, "channels": 2,
        "prior": "score", "method": "alternating", "dataset": "toy", "priors_rate": RATE, "sigmas": [1.0, 0.5, 0.1],
        "notes": [f"It may be clipped. {STRANGE}"],
    }  # fmt: skip
    (folder / "about.json").write_text(json.dumps(about))
    np.save(folder / "forming.npy", np.stack([[tone(1.4, 300 + level), tone(1.4, 900 + level)] for level in range(3)]))
    named = {"wavs": folder / "wavs", "levels": folder / "levels.csv", "about": folder / "about.json",
             "forming": folder / "forming.npy", "figure": png(folder / "separated.png")}  # fmt: skip
    settings = {"sources": SOURCES, "titles": {"score": "score prior"}, "facts": FACTS, "recording": "song-1"}
    return settings, named, folder / "index.html"


def each(named: dict[str, Path], page: Path) -> list:
    return [part for name, path in named.items() for part in (f"--{name}", path)] + ["--output", page]


def test_the_page_of_a_recording(of_file):
    settings, named, page = of_file
    run(page_of_file, settings, *each(named, page))
    text = page.read_text()
    assert "<b>" not in text and "<h1>&lt;b&gt;&amp;&#34;&#39;x ?.wav</h1>" in text
    assert text.count("<audio") == 1 + 3 + 2 and "SI-SDR" not in text.split("<figure")[0]
    assert 'href="wavs/rest.wav"' in text and "It may be clipped." in text


def test_the_page_of_a_scored_recording(of_file):
    settings, named, page = of_file
    scores = png(named["figure"].with_name("scores.png"))
    scores.with_name("scores_figure.csv").write_text("x")
    run(page_of_file, settings, "--recording", "folder/song & 1.wav", "--scores", scores, "--output", page)
    text = page.read_text()
    assert "<audio" not in text and "song &amp; 1.wav" in text and 'href="scores_figure.csv"' in text
    run(page_of_file, settings, *each(named, page), "--scores", scores)
    assert page.read_text().count("<figure") == 2


def test_half_of_a_separation_has_no_page(of_file, capsys):
    settings, named, page = of_file
    refused(page_of_file, settings, "--wavs", named["wavs"], "--output", page)
    refused(page_of_file, settings, "--output", page)
    named["levels"].unlink()
    refused(page_of_file, settings, *each(named, page))
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert "give --wavs, --levels, --about, --forming and --figure together" in lines[0] and lines[1] == lines[0]
    assert "levels.csv: No such file" in lines[2]


def test_the_page_of_a_run_in_a_browser(of_run, chromium):
    settings, named, page = of_run
    run(index, settings, *options(named, page))
    sections = ["asked", "outcome", "listen", "evidence", "record"]
    browsers.check(chromium, page, sections, sounds=8 * 3 + 2)
    browsers.slides(chromium, page)


def test_the_page_of_a_recording_in_a_browser(of_file, chromium):
    settings, named, page = of_file
    run(page_of_file, settings, *each(named, page))
    browsers.check(chromium, page, ["outcome", "listen", "evidence", "record"], sounds=6)
    browsers.slides(chromium, page)


def test_the_page_of_two_data_sets_in_a_browser(of_run, chromium):
    settings, named, page = of_run
    (data,) = settings["datasets"]
    both = settings | {"datasets": [data, data | {"facts": FACTS | {"dataset": "chirps"}}]}
    files_of = {name: paths if name == "tables" else 2 * paths for name, paths in named.items()}
    run(index, both, *options(files_of, page))
    browsers.check(chromium, page, ["outcome", "listen", "evidence"], sounds=2 * (8 * 3 + 2))


def test_pages_of_sounds_and_of_tables_in_a_browser(tmp_path, chromium):
    address = sounds.sound(tone(0.064), RATE)
    mixes = [(f"two {STRANGE}", SOURCES, [("truth", 3 * [address]), (STRANGE, 3 * [address])])]
    listen = rendering.render("listen", title="Mixes", dataset="toy", seconds=0.064, mixes=mixes)
    table = rendering.render(
        "table", title="claims", columns=[f"column {k}" for k in range(40)], rows=20 * [40 * [STRANGE]]
    )
    for content, heard in ((listen, 6), (table, 0)):
        page = tmp_path / "page.html"
        page.write_bytes(content)
        browsers.check(chromium, page, ["main"], heard)


def test_a_page_without_javascript_shows_the_last_level(of_run, chromium):
    settings, named, page = of_run
    run(index, settings, *options(named, page))
    context = chromium.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(page.as_uri())
    assert not tab.locator(".control").is_visible() and tab.locator("noscript p").is_visible()
    assert tab.locator("[data-forming] .wave").count() == 2 and tab.locator("[data-forming] .wave").first.is_visible()
    context.close()
