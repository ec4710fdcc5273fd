"""From the rows of all separations of one data set, the table of separation."""

from audiopriors import files, runtime, tables


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--rows", "rows of separate and separate_reference", many=True)
    program.output("--output", "the table (CSV)")
    arguments = program.arguments()
    settings = arguments.settings
    rows = files.read_rows(arguments.rows)
    tables.write(tables.separation(rows, settings["frame"], settings["bootstrap"]), arguments.output)


if __name__ == "__main__":
    runtime.run(main)
