"""From the rows of all separations of one data set, the table of separation."""

from audiopriors import files, runtime, tables


def main() -> None:
    parser = runtime.parser(__doc__)
    parser.add_argument("--rows", nargs="+", required=True, help="rows of separate and separate_reference")
    parser.add_argument("--output", required=True, help="output: the table (CSV)")
    arguments = parser.parse_args()
    settings = arguments.settings
    rows = files.read_rows(arguments.rows)
    tables.write(tables.separation(rows, settings["frame"], settings["bootstrap"]), arguments.output)


if __name__ == "__main__":
    runtime.run(main)
