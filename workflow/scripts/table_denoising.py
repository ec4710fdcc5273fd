"""Table: how well every prior denoises its own source, compared with the best possible."""

from audiopriors import files, tables


def build(settings, inputs):
    """The table. inputs: rows of evaluate_prior's denoising."""
    return tables.denoising(files.read_rows(inputs), settings["exact"], settings["frame"])


if __name__ == "__main__":
    tables.program(__doc__, build)
