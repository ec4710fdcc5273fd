"""From every particle of the planned samplers of one data set, how well their misfit tells failures."""

from audiopriors import files, tables


def build(settings, inputs):
    """inputs: the particles of separate."""
    return tables.acceptance(files.read_rows(inputs))


if __name__ == "__main__":
    tables.program(__doc__, build)
