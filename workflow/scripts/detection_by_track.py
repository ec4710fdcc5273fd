"""From the rows of all evaluations of one data set, the table of detection within each track."""

from audiopriors import files, runtime, tables


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--scores", "rows of evaluate_prior", many=True)
    program.output("--output", "the table (CSV)")
    arguments = program.arguments()
    settings = arguments.settings
    measures = files.read_rows(arguments.scores)
    tables.write(tables.detection_by_track(measures, settings["sources"], settings["frame"]), arguments.output)


if __name__ == "__main__":
    runtime.run(main)
