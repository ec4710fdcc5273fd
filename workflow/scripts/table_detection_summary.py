"""Table: detection by each measure over all pairs of sources, over near and far ones, and the worst pair."""

from audiopriors import detection_summary, files, nearness, registry, tables


def build(settings, inputs):
    """The table. inputs: the data set's items, and rows of evaluate_prior."""
    data, sources = registry.open_data(settings["data"], inputs[0]), settings["sources"]
    near = nearness.near_pairs(data, sources, settings["frame"])
    return detection_summary.detection_summary(files.read_rows(inputs[1:]), sources, near, settings["frame"])


if __name__ == "__main__":
    tables.program(__doc__, build)
