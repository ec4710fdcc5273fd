"""Table: detection within each track, from the rows of all evaluations of one data set."""

from audiopriors import detection_tables, files, tables


def build(settings, inputs):
    """The table. inputs: rows of evaluate_prior."""
    return detection_tables.detection_by_track(files.read_rows(inputs), settings["sources"], settings["frame"])


if __name__ == "__main__":
    tables.program(__doc__, build)
