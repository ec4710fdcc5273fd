"""README and docs: numbers come from tables, links resolve, sentences and figures are of a size that people read."""

import importlib.util
import re
import struct
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def program(name: str):
    """A program of docs/, as a module."""
    specification = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


fill, tour = program("fill"), program("tour")

TEMPLATES = sorted(fill.TEMPLATES.glob("*.md"))
PAGES = [ROOT / "README.md", *(ROOT / "docs" / path.name for path in TEMPLATES if path.name != "README.md")]
OTHERS = [
    "CHANGELOG.md", "CONTRIBUTING.md", "benchmarks/README.md", "examples/README.md", "examples/tour.ipynb",
    "docs/quick/README.md",
]  # fmt: skip
LINKED = [*PAGES, *map(ROOT.joinpath, OTHERS), *sorted((ROOT / "docs" / "records").glob("*.md"))]

# Numbers that no table has, as they are names, definitions or units.
NAMES = [
    r"(?:Figs?\.|Table|Section) \d[\d.]*(?: and \d+)?",
    r"[A-Z][\w .&-]+, \d{4}\b",  # a reference
    r"95 %|97\.5 %|50 %",  # intervals, and central parts of a law
    r"Python 3\.11|2 cores|1×1|version 4",
    r"\b(?:16|8) kHz|32-bit|SHA-256",
    r"N\(0, 0\.5\)",  # an input of the paper's Table 1
    r"[−\[]1, 1\]|peak 1|to \[?−?1",  # the range of a sample
    r"20 nats|2 · 10⁻⁹|0\.1 nats",  # the entropy gate, and the exact prior's error: tests hold both
    r"1e-4",  # how nearly CPU and GPU agree: a test
    r"less than 6 MB",  # of shipped priors: a test holds it
    r"64 parts|80 dB|−60 dB|at 60 dB",  # constants of recordings, their maps and SI-SDR: tests hold them
    r"σ = 0\b|level of 0|; 0 is|It is 0|value of 1|0 is always|0\.5 is a guess|guess has 0\.25",
]


def thresholds(values) -> set[str]:
    """The numbers at which claims are decided."""
    if isinstance(values, dict):
        decides = {f"{abs(values[key]):g}" for key in ("above", "below") if key in values}
        return decides.union(*map(thresholds, values.values()))
    return set().union(*map(thresholds, values)) if isinstance(values, list) else set()


def content(path: Path) -> str:
    """The Markdown of a page; of the tour, that of its cells."""
    text = path.read_text("utf-8")
    return tour.markdown(text) if path == tour.TOUR else text


def without_code(page: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", page, flags=re.MULTILINE | re.DOTALL)


def text_of(page: str) -> str:
    """What a page says in sentences: without code, tables, headings, images, HTML and the targets of links."""
    page = re.sub(r"^(\||#|!\[|<).*$", "", without_code(page), flags=re.MULTILINE)
    return re.sub(r"\]\([^)]*\)", "]", page)


@pytest.fixture(scope="module")
def filled() -> dict[Path, str]:
    return fill.pages()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_is_what_make_docs_writes(filled, path):
    assert path.read_text("utf-8") == filled[path], "run `make pages`"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_number_is_typed(path):
    """A number outside Jinja's braces is a noise level, the threshold of a claim, or of the list above."""
    config, claims = (yaml.safe_load((ROOT / f"{name}.yaml").read_text("utf-8")) for name in ("config", "claims"))
    settings = {*config["sigmas"], *config["evaluation"]["denoised"], *thresholds(claims)}
    page = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", path.read_text("utf-8"), flags=re.DOTALL)
    page = re.sub(r"`[^`]*`|\]\([^)]*\)|^\d+\. ", "", without_code(page), flags=re.MULTILINE)
    if path.name == "faults.md":  # counts of faults: what its tests do
        page = "\n".join(line for line in page.splitlines() if not line.startswith("|"))
    for pattern in NAMES:
        page = re.sub(pattern, "", page)
    typed = [number for number in re.findall(r"(?<![\w./])\d+(?:\.\d+)?(?![\w/])", page) if number not in settings]
    assert not typed, f"{path.name}: {typed} stand in no table; write {{{{ row(...) | number }}}}"


def anchors(path: Path) -> set[str]:
    page = without_code(content(path))
    return {fill.anchor(heading) for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}


@pytest.mark.parametrize("path", LINKED, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_anchors_and_images_resolve(path):
    page = re.sub(r"`[^`]*`", "", without_code(content(path)))
    for target in re.findall(r"\]\(([^)\s]+)\)", page):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        place = path.parent / name if name else path
        assert place.exists(), f"{path.name}: {target} is not there"
        assert not anchor or anchor in anchors(place), f"{path.name}: {target} has no such heading"


@pytest.mark.parametrize(
    "path", [path for path in LINKED if path.parent.name != "benchmarks"], ids=lambda path: str(path.relative_to(ROOT))
)  # that one is a log of runs
def test_sentences_are_short(path):
    """18 words in the mean, and on a page that is filled none of more than 40."""
    sentences = re.split(r"(?<=[.!?])\s+|\n\s*\n|\n\s*(?:[-*]|\d+\.) ", text_of(content(path)))
    words = [len(re.findall(r"[^\W\d_][\w'’-]*", sentence)) for sentence in sentences]
    words = [number for number in words if number > 2]
    assert sum(words) / len(words) <= 18
    assert path not in PAGES or max(words) <= 40


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


def test_each_page_uses_a_term_first_with_a_link(filled):
    """Each term of the glossary, in its first use in running text, is a link to it."""
    assert all("glossary.md#" in page for path, page in filled.items() if path.name not in ("glossary.md", "faults.md"))
    for page in filled.values():
        targets = re.findall(r"glossary\.md#([^)]+)\)", page)
        assert len(targets) == len(set(targets))


def test_benchmarks_have_every_row_the_best_first(filled):
    page = filled[ROOT / "docs" / "benchmarks.md"]
    tables = [block.splitlines() for block in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)]
    places = {"median SI-SDR": -1, "median improvement": -1, "gap at σ = 0.129": 1, "worst pair, by the ratio": -1}
    numbers = []
    for header, _, *lines in tables:
        names = [cell.strip() for cell in header.split("|")]
        (name,) = set(names) & set(places)
        cells = [line.split("|")[names.index(name)].strip() for line in lines]
        values = [places[name] * float(cell.split()[0].replace("−", "-")) for cell in cells if cell != "–"]
        assert values == sorted(values), name
        numbers.append(len(cells))
    separations = [
        len(fill.rows(name, source="all", mix=mix))
        for name, mix in (("separation", "four"), ("demo_band/separation", "band"), ("chorales/separation", "band"),
                          ("fresh/separation_band_2021", "band"))
    ]  # fmt: skip
    gaps, pairs = fill.table("truth_gap")["prior"].nunique(), fill.rows("detection", measure="log_ratio")
    assert numbers == [
        separations[0],
        gaps + 1,
        len({row["prior"] for row in pairs if row["prior_sigma"] == "0.359"}),
        *separations[1:],
    ]


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "quick").rglob("*.png")), ids=lambda path: path.name)
def test_figures_are_one_screen_high(path):
    _, height = struct.unpack(">II", path.read_bytes()[16:24])
    assert height <= 1600
