"""From every particle of the planned samplers of one data set, how well their misfit tells failures."""

from audiopriors import files, runtime, tables


def main() -> None:
    parser = runtime.parser(__doc__)
    parser.add_argument("--particles", nargs="+", required=True, help="rows of particles of separate")
    parser.add_argument("--output", required=True, help="output: the table (CSV)")
    arguments = parser.parse_args()
    tables.write(tables.acceptance(files.read_rows(arguments.particles)), arguments.output)


if __name__ == "__main__":
    runtime.run(main)
