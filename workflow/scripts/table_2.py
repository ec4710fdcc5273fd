"""Table 2: the hyperparameters of every prior at this scale, beside the paper's."""

import pandas as pd
from audiopriors import tables
from audiopriors.columns import COLUMNS

PUBLISHED = {  # Table 2 of the paper, toy data, in the order of the columns
    "WaveNet (paper)": [3, None, 10, 3, 256],
    "FloWaveNet (paper)": [4, 6, 10, 3, 32],
}


def build(settings, inputs):
    """The table. inputs: none, as everything is in the settings."""
    rows = [dict(zip(COLUMNS["table_2"], [name, *values], strict=True)) for name, values in PUBLISHED.items()]
    for name, prior in settings["priors"].items():
        training = prior.get("training", {})
        row = {"prior": name} | prior["model"]
        row |= {key: training[key] for key in ("steps", "batch", "learning_rate") if training}
        if name in settings["fine_tuned"]:
            row |= {"finetune_steps": (training | prior.get("finetune", {}))["steps"]}
        rows.append(row)
    return pd.DataFrame(rows, dtype=object)  # whole numbers stay whole beside gaps


if __name__ == "__main__":
    tables.program(__doc__, build)
