"""Table 1: constant zero and N(0, 0.5) noise as inputs: as published, by that measure here, and as a likelihood."""

import pandas as pd
from audiopriors import tables
from audiopriors.columns import COLUMNS

# Table 1 of the paper: the mean over time of log N(f(x)), without the log-determinant.
PUBLISHED = {
    ("constant_0", "noise-free"): {"sine": 4.8e0, "square": -7.0e2, "saw": 4.4e0, "triangle": 1.8e0},
    ("constant_0", "largest"): {"sine": -5.0e-1, "square": -3.1e0, "saw": 5.1e0, "triangle": -2.0e11},
    ("normal_0.5", "noise-free"): {"sine": -2.7e13, "square": -3.4e9, "saw": -1.4e5, "triangle": -1.1e11},
    ("normal_0.5", "largest"): {"sine": 4.4e0, "square": -5.8e1, "saw": 5.1e0, "triangle": -3.8e5},
}


def build(settings, inputs):
    """The table. inputs: the table cross_likelihood."""
    likelihood, rows = tables.read_csv(inputs[0]), []
    for (test_source, which), published in PUBLISHED.items():
        sigma = settings["sigmas"][0 if which == "noise-free" else -1]
        of_input = {"input": test_source, "prior_sigma": sigma}
        rows.append(of_input | {"prior": "FloWaveNet (paper)", "measure": "as published"} | published)
        chosen = likelihood[
            (likelihood["test_source"] == test_source)
            & (likelihood["prior_sigma"] == sigma)
            & (likelihood["data_sigma"] == "0")
        ]
        for (prior, measure), group in chosen.groupby(["prior", "measure"], sort=False):
            values = group.set_index("prior_source")["mean"].to_dict()
            rows.append(of_input | {"prior": prior, "measure": measure} | values)
    return pd.DataFrame(rows, columns=[*COLUMNS["table_1"], *settings["sources"]])


if __name__ == "__main__":
    tables.program(__doc__, build)
