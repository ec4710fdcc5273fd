"""From the rows of all evaluations of one data set, the table of detection within each track."""

from audiopriors import files, runtime, tables


def main() -> None:
    parser = runtime.parser(__doc__)
    parser.add_argument("--scores", nargs="+", required=True, help="rows of evaluate_prior")
    parser.add_argument("--output", required=True, help="output: the table (CSV)")
    arguments = parser.parse_args()
    settings = arguments.settings
    scores = files.read_rows(arguments.scores)
    tables.write(tables.detection_by_track(scores, settings["sources"], settings["frame"]), arguments.output)


if __name__ == "__main__":
    runtime.run(main)
