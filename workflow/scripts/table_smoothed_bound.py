"""Table: constants and noise under every prior, compared with the most that a density of noisy data can give."""

from audiopriors import tables


def build(settings, inputs):
    """The table. inputs: the table of cross-likelihood."""
    return tables.smoothed_bound(tables.read_csv(inputs[0]))


if __name__ == "__main__":
    tables.program(__doc__, build)
