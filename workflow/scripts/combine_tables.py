"""Put one table of several data sets below each other: CSV, and, with four significant digits, Markdown and HTML."""

import csv
import io
from pathlib import Path

import tabulate
from audiopriors import provenance, runtime
from audiopriors.files import csv_of, write_bytes
from audiopriors.pages import rendering


def short(cell: str) -> str:
    """A number with four significant digits, unless it is whole; any other cell is unchanged."""
    try:
        return f"{float(cell):.4g}" if "." in cell or "e" in cell else cell
    except ValueError:
        return cell


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--tables", "that table of each data set", many=True)
    program.output("--outputs", "paths that end in .csv, .md or .html", many=True)
    arguments = program.arguments()
    # Not pandas, which takes longer to import than all of this.
    readers = [csv.DictReader(io.StringIO(Path(path).read_text("utf-8"))) for path in arguments.tables]
    columns = list(dict.fromkeys(column for reader in readers for column in reader.fieldnames))
    rows = [row for reader in readers for row in reader]
    cells = [[short(row.get(column, "")) for column in columns] for row in rows]
    for path in arguments.outputs:
        if path.endswith(".csv"):
            provenance.write(path, csv_of(columns, rows))
        elif path.endswith(".md"):
            write_bytes(path, f"{tabulate.tabulate(cells, columns, tablefmt='pipe', disable_numparse=True)}\n".encode())
        else:
            title = Path(path).stem.replace("_", " ")
            write_bytes(path, rendering.render("table", title=title, columns=columns, rows=cells))


if __name__ == "__main__":
    runtime.run(main)
