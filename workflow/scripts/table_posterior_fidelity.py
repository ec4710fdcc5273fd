"""Table: how well each sampler's particles are draws of the exact posterior."""

from audiopriors import files, tables
from audiopriors.fidelity.table import posterior_fidelity


def build(settings, inputs):
    """The table. inputs: the rows of exact_posterior and sample_posterior."""
    return posterior_fidelity(files.read_rows(inputs), settings["frame"])


if __name__ == "__main__":
    tables.program(__doc__, build)
