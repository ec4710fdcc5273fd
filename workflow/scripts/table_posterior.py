"""From the bounds and calibrations of all posterior models of one data set, the table of posteriors."""

from audiopriors import files, tables


def build(settings, inputs):
    """inputs: the bounds of separate_posterior."""
    return tables.posterior(files.read_rows(inputs), settings["frame"])


if __name__ == "__main__":
    tables.program(__doc__, build)
