"""The templates beside this file, filled in."""

from __future__ import annotations

from pathlib import Path

import jinja2

from .numbers import number, short

TEMPLATES = Path(__file__).with_name("templates")

_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    autoescape=lambda name: name is not None and name.endswith(".html"),
)  # fmt: skip
_environment.filters.update(number=number, short=short)


def render(template: str, **values) -> bytes:
    """A whole page: templates/TEMPLATE.html with these values, of which all text is escaped."""
    page = _environment.get_template(f"{template}.html").render(values)
    return page.encode(errors="replace")  # names of files may have bytes that are no text
