"""Run the tour, examples/tour.ipynb, and keep what it shows: `python docs/tour.py`, after `make .venv/.tests`.

The site shows it as a page (conf.py).
"""

import json
import re
from pathlib import Path

TOUR = Path(__file__).resolve().parents[1] / "examples" / "tour.ipynb"


def execute(notebook, folder: Path):
    """The notebook (of nbformat), run from its first cell to its last by a new process that works in that folder.

    Raises
    ------
    nbclient.exceptions.CellExecutionError: a cell failed.
    """
    from nbclient import NotebookClient

    client = NotebookClient(notebook, kernel_name="python3", record_timing=False)
    return client.execute(cwd=str(folder))


def markdown(text: str) -> str:
    """The notebook's cells and what they show, as a page of Markdown. text: its file's."""
    return "\n\n".join(part for cell in json.loads(text)["cells"] for part in _parts(cell))


def _parts(cell: dict):
    """The text of a cell, and of each of its outputs."""
    source = "".join(cell["source"])
    yield source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```"
    for output in cell.get("outputs", []):
        shown = {kind: "".join(lines) for kind, lines in output.get("data", {}).items()}
        if "image/png" in shown:
            alt = output["metadata"]["image/png"]["alt"]
            yield f'<img alt="{alt}" src="data:image/png;base64,{"".join(shown["image/png"].split())}">'
        elif "<audio" in shown.get("text/html", ""):
            yield re.sub(r"\s+", " ", shown["text/html"]).strip()
        else:
            yield "```text\n" + (shown.get("text/plain") or "".join(output["text"])).rstrip("\n") + "\n```"


def main() -> None:
    import nbformat

    notebook = execute(nbformat.read(TOUR, as_version=4), TOUR.parent)
    notebook.metadata["language_info"] = {"name": "python"}  # without the version, which says nothing
    nbformat.write(notebook, TOUR)


if __name__ == "__main__":
    main()
