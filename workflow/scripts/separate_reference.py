"""Compute the references of a separation: the mix as estimate, the data set's references, supervised separators."""

import pandas as pd
import torch
from audiopriors import files, likelihood, registry, runtime
from audiopriors.separation import references, supervised
from audiopriors.separation import running as separation


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--data", "the data set's items")
    program.input("--supervised", "trained separators of this mix", many=True, required=False)
    program.output("--rows", "metrics of each mix and source (parquet)")
    arguments = program.arguments()
    settings = arguments.settings
    device = runtime.prepare(settings["threads"])
    data, mix = registry.open_data(settings["data"], arguments.data), settings["mix"]
    truth, total, items = separation.mixes(data, mix, settings["items"], settings["frame"])
    compared = references.estimates(data, mix, truth, total, items)
    for path in arguments.supervised:
        separator = supervised.load(path).to(device)
        parts = [separator(part.to(device)).cpu() for part in likelihood.batches(total, settings["batch_samples"])]
        compared[separator.description["name"]] = torch.cat(parts).transpose(0, 1)[:, :, None]
    rows = [
        separation.rows(settings, data, "reference", name, truth, total, items, separation.unjudged(estimates))
        for name, estimates in compared.items()
    ]
    files.write_rows(pd.concat(rows, ignore_index=True), arguments.rows)


if __name__ == "__main__":
    runtime.run(main)
