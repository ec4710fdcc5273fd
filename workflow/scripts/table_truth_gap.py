"""How far every density is from the true one, on the true one's own items; stops if one is impossibly near."""

from audiopriors import files, registry, tables


def build(settings, inputs):
    """inputs: rows of evaluate_prior, the exact prior's among them."""
    measures, error = files.read_rows(inputs), registry.constant("priors", "exact", "ERROR")
    return tables.truth_gap(measures, settings["exact"], error, settings["frame"])


if __name__ == "__main__":
    tables.program(__doc__, build)
