"""From every particle of the planned samplers of one data set, how well their misfit tells failures."""

from audiopriors import files, runtime, tables


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--particles", "rows of particles of separate", many=True)
    program.output("--output", "the table (CSV)")
    arguments = program.arguments()
    tables.write(tables.acceptance(files.read_rows(arguments.particles)), arguments.output)


if __name__ == "__main__":
    runtime.run(main)
