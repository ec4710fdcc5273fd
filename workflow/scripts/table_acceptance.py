"""Table: how well the misfit tells failures, from every particle of the planned samplers of one data set."""

from audiopriors import files, tables


def build(settings, inputs):
    """The table. inputs: the particles of separate."""
    return tables.acceptance(files.read_rows(inputs))


if __name__ == "__main__":
    tables.program(__doc__, build)
