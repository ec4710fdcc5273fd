"""What constants and noise have of the most that a density of noisy data can give, under every prior."""

from audiopriors import tables


def build(settings, inputs):
    """inputs: the table of cross-likelihood."""
    return tables.smoothed_bound(tables.read_csv(inputs[0]))


if __name__ == "__main__":
    tables.program(__doc__, build)
