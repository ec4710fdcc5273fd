"""Figures as a page shows them: the picture itself, its caption, and links to its data."""

from __future__ import annotations

import base64
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ..errors import UserError

SENTENCES = re.compile(r"(?<!Fig)(?<!Figs)\. (?=[^a-z0-9])")
HEADING = re.compile(r"^(Figs?\.|Section|Table) [^:]{,60}$")  # such as Fig. 3 of the paper: says nothing itself


@dataclass(frozen=True)
class Picture:
    """A figure of the results."""

    anchor: str
    title: str
    caption: str
    source: str
    "The picture as a data: address."
    width: int
    height: int
    links: dict[str, str]
    "Kind of file, and its path from the page."

    @property
    def alternative(self) -> str:
        """A text for those who do not see it: its title, and the caption's first sentence that says what is drawn."""
        sentences = SENTENCES.split(self.caption)
        said = next((sentence for sentence in sentences if not HEADING.match(sentence)), sentences[0])
        return f"{self.title}: {said.rstrip('.')}."


def picture(path: str | Path, page: str | Path, anchor: str, title: str, caption: str, data: str = "") -> Picture:
    """The figure whose PNG is at `path`; beside it lie its PDF and the CSV of its data, named `data` if not as it is.

    page: the path of the page that shows it.

    Raises
    ------
    UserError: there is no such file, or it is no picture.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        width, height = Image.open(io.BytesIO(content)).size
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such figure; run the workflow, which draws it") from None
    except OSError:
        raise UserError(f"{path}: is no picture; delete it and run again") from None
    files = {"PDF": path.with_suffix(".pdf"), "CSV": path.with_name(data) if data else path.with_suffix(".csv")}
    links = {kind: link(file, page) for kind, file in files.items()}
    source = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    return Picture(anchor, title, caption, source, width, height, links)


def link(file: str | Path, page: str | Path) -> str:
    """The address of a file, relative to a page."""
    return Path(os.path.relpath(file, Path(page).parent)).as_posix()
