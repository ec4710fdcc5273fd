"""The verdict on every claim of the sources about one data set, computed from its tables by the config's rules."""

from pathlib import Path

from audiopriors import claims, runtime, tables


def main() -> None:
    parser = runtime.parser(__doc__)
    parser.add_argument("--tables", nargs="+", required=True, help="tables that rules refer to, by their file's name")
    parser.add_argument("--output", required=True, help="output: the table (CSV)")
    arguments = parser.parse_args()
    settings = arguments.settings
    named = {Path(path).stem: tables.members(tables.read_csv(path)) for path in arguments.tables}
    verdicts = claims.table(
        settings["claims"], named, settings["dataset"], settings["sources"], settings["scale"], settings["paper_size"]
    )
    tables.write(verdicts, arguments.output)


if __name__ == "__main__":
    runtime.run(main)
