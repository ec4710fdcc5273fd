"""Table: how far every density is from the true one, on the true one's own items.

It stops if a density is impossibly near.
"""

from audiopriors import files, registry, tables


def build(settings, inputs):
    """The table. inputs: rows of evaluate_prior, including the exact prior's."""
    measures, error = files.read_rows(inputs), registry.constant("priors", "exact", "ERROR")
    return tables.truth_gap(measures, settings["exact"], error, settings["frame"])


if __name__ == "__main__":
    tables.program(__doc__, build)
