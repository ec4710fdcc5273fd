"""How well every prior denoises its own source, against the best that there is."""

from audiopriors import files, tables


def build(settings, inputs):
    """inputs: rows of evaluate_prior's denoising."""
    return tables.denoising(files.read_rows(inputs), settings["exact"], settings["frame"])


if __name__ == "__main__":
    tables.program(__doc__, build)
