"""From the rows of all evaluations of one data set, the table of detection within each track."""

from audiopriors import files, tables


def build(settings, inputs):
    """inputs: rows of evaluate_prior."""
    return tables.detection_by_track(files.read_rows(inputs), settings["sources"], settings["frame"])


if __name__ == "__main__":
    tables.program(__doc__, build)
