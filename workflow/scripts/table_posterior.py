"""Table: posterior models, from the bounds and calibrations of all of them on one data set."""

from audiopriors import files, tables


def build(settings, inputs):
    """The table. inputs: the bounds of separate_posterior."""
    return tables.posterior(files.read_rows(inputs), settings["frame"])


if __name__ == "__main__":
    tables.program(__doc__, build)
