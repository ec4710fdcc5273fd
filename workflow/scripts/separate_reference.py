"""The references of a separation: the mix as estimate, and what the data set can give, such as an oracle."""

import pandas as pd
import torch
from audiopriors import files, registry, runtime, separation


def main() -> None:
    parser = runtime.parser(__doc__)
    parser.add_argument("--data", required=True, help="the data set's items")
    parser.add_argument("--rows", required=True, help="output: metrics of each mix and source (parquet)")
    arguments = parser.parse_args()
    settings = arguments.settings
    runtime.prepare(settings["threads"])
    data = registry.open_data(settings["data"], arguments.data)
    truth, mix = separation.mixes(data, settings["mix"], settings["items"], settings["frame"])
    items = torch.arange(mix.shape[0])
    references = {
        "mix": (mix / len(settings["mix"])).expand_as(truth),
        **data.references(truth, mix, settings["mix"], items, settings["frame"]),
    }
    rows = [separation.rows(settings, data, "reference", name, truth, mix, made) for name, made in references.items()]
    files.write_rows(pd.concat(rows, ignore_index=True), arguments.rows)


if __name__ == "__main__":
    runtime.run(main)
