"""Table 2: the hyperparameters of every prior at this scale, beside the paper's."""

import pandas as pd
from audiopriors import runtime, tables

COLUMNS = ["blocks", "flows", "layers", "kernel_size", "width"]
PUBLISHED = {  # Table 2 of the paper, toy data
    "WaveNet (paper)": [3, None, 10, 3, 256],
    "FloWaveNet (paper)": [4, 6, 10, 3, 32],
}


def main() -> None:
    program = runtime.Program(__doc__)
    program.output("--output", "the table (CSV)")
    arguments = program.arguments()
    settings = arguments.settings
    rows = [dict(zip(["prior", *COLUMNS], [name, *values], strict=True)) for name, values in PUBLISHED.items()]
    for name, prior in settings["priors"].items():
        training = {key: prior["training"][key] for key in ("steps", "batch", "learning_rate") if "training" in prior}
        finetune = {"finetune_steps": prior["finetune"].get("steps")} if "finetune" in prior else {}
        rows.append({"prior": name} | prior["model"] | training | finetune)
    table = pd.DataFrame(rows, dtype=object)  # whole numbers stay whole beside gaps
    tables.write(table, arguments.output)


if __name__ == "__main__":
    runtime.run(main)
