"""The verdict on every claim of the sources about one data set, computed from its tables by the config's rules."""

from pathlib import Path

from audiopriors import claims, runtime, tables


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--tables", "tables that rules refer to, by their file's name", many=True)
    program.output("--output", "the table (CSV)")
    arguments = program.arguments()
    settings = arguments.settings
    named = {Path(path).stem: tables.members(tables.read_csv(path)) for path in arguments.tables}
    verdicts = claims.table(
        settings["claims"], named, settings["dataset"], settings["sources"], settings["scale"], settings["paper_size"]
    )
    tables.write(verdicts, arguments.output)


if __name__ == "__main__":
    runtime.run(main)
