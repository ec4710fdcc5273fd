"""The templates beside this file, filled in."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
import markupsafe

from .numbers import number, short

TEMPLATES = Path(__file__).with_name("templates")


def with_names(caption: str) -> markupsafe.Markup:
    """A caption in which a name in `backticks` is set as code."""
    return markupsafe.Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(markupsafe.escape(caption))))


_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    autoescape=lambda name: name is not None and name.endswith(".html"),
)  # fmt: skip
_environment.filters.update(number=number, short=short, with_names=with_names)


def render(template: str, **values) -> bytes:
    """A whole page: templates/TEMPLATE.html with these values, of which all text is escaped."""
    page = _environment.get_template(f"{template}.html").render(values)
    return page.encode(errors="replace")  # names of files may have bytes that are no text
