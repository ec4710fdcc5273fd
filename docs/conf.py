"""The site: the pages of docs/ and an API reference from the docstrings of the library (`make site`)."""

import os
import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(DOCS), str(ROOT / "workflow" / "scripts")]

import tour  # noqa: E402

project = "audiopriors"
author = copyright = "the audiopriors developers"
html_theme = "furo"
html_title = "audiopriors"
extensions = ["myst_parser", "sphinx.ext.apidoc", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinxcontrib.mermaid"]
exclude_patterns = ["templates", "api/modules.rst"]

myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]

apidoc_modules = [{"path": str(ROOT / "workflow/scripts/audiopriors"), "destination": "api", "separate_modules": True}]
default_role = "literal"  # docstrings have names in single backticks
autodoc_default_options = {"members": True, "undoc-members": True, "show-inheritance": True, "member-order": "bysource"}
autodoc_typehints = "description"
suppress_warnings = ["ref.python"]  # two classes are named Prior: a type in a signature is linked to one of them

# Pages of the site whose text is a file elsewhere in the repository.
ELSEWHERE = {
    "index": "README.md", "changes": "CHANGELOG.md", "contributing": "CONTRIBUTING.md",
    "speed": "benchmarks/README.md", "examples": "examples/README.md", "tour": "examples/tour.ipynb",
}  # fmt: skip


def read_page(app, page: str, source: list[str]) -> None:
    """Give a page the text that it has elsewhere, and turn its links to files into links of the site."""
    own = DOCS / f"{page}.md"
    if not own.exists():
        return  # of the API reference
    path = ROOT / ELSEWHERE[page] if page in ELSEWHERE else own
    pages = {(ROOT / name).resolve(): DOCS / f"{place}.md" for place, name in ELSEWHERE.items()}

    def link(match: re.Match) -> str:
        target = (path.parent / match[1]).resolve()
        return "](" + os.path.relpath(pages.get(target, target), own.parent) + (match[2] or "") + ")"

    text = path.read_text("utf-8") if page in ELSEWHERE else source[0]
    text = tour.markdown(text) if path == tour.TOUR else text
    text = re.sub(r"\]\((?!https?:)([^)#\s]+)(#[^)\s]*)?\)", link, text)
    source[0] = f"{text}\n{source[0]}" if page in ELSEWHERE else text


def escape_bars(app, what, name, documented, options, lines: list[str]) -> None:
    """Keep bars of docstrings as they are: |x| is an absolute value, and no substitution of reStructuredText."""
    lines[:] = [line.replace("|", r"\|") for line in lines]


def setup(app) -> None:
    app.connect("source-read", read_page)
    app.connect("autodoc-process-docstring", escape_bars)
