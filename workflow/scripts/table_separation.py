"""Table: separation, from the rows of all separations of one data set."""

from audiopriors import files, tables


def build(settings, inputs):
    """The table. inputs: rows of separate and separate_reference."""
    return tables.separation(files.read_rows(inputs), settings["frame"])


if __name__ == "__main__":
    tables.program(__doc__, build)
