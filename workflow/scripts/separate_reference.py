"""The references of a separation: the mix as estimate, and an oracle that knows every frequency and phase."""

import pandas as pd
import torch
from audiopriors import files, registry, runtime, samplers, separation


def main() -> None:
    parser = runtime.parser(__doc__)
    parser.add_argument("--data", required=True, help="the data set's items")
    parser.add_argument("--rows", required=True, help="output: metrics of each mix and source (parquet)")
    arguments = parser.parse_args()
    settings = arguments.settings
    runtime.prepare(settings["threads"])
    data = registry.open_data(settings["data"], arguments.data)
    truth, mix = separation.mixes(data, settings["mix"], settings["items"], settings["frame"])
    waves = [
        data.unit_waves("test", source, torch.arange(mix.shape[0]), settings["frame"]) for source in settings["mix"]
    ]
    references = {
        "mix": (mix / len(settings["mix"])).expand_as(truth),
        "parametric_oracle": samplers.parametric_oracle(torch.stack(waves), mix).float(),
    }
    rows = [separation.rows(settings, "reference", name, truth, mix, made) for name, made in references.items()]
    files.write_rows(pd.concat(rows, ignore_index=True), arguments.rows)


if __name__ == "__main__":
    runtime.run(main)
