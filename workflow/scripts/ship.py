"""Put a data set's trained priors together as the package ships them: weights, error curves, and a card."""

import json
import shutil
from pathlib import Path

from audiopriors import files, provenance, runtime, tables
from audiopriors.checkpoints import load_prior
from audiopriors.shipped_priors import CARD, checksum

QUALITY = (
    "n",
    "si_sdr_median",
    "low",
    "high",
    "si_sdr_improvement_median",
    "si_sdr_improvement_mean",
    "share_above_10_db",
)


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--priors", "the trained prior of each source", many=True)
    program.input("--errors", "the error curve of each source's prior", many=True)
    program.input("--table", "the table of separations")
    program.output("--output", "a folder: SOURCE.safetensors, SOURCE.parquet, card.json", type=Path)
    arguments = program.arguments()
    card, folder = arguments.settings, arguments.output
    folder.mkdir(parents=True, exist_ok=True)
    for source, prior, errors in zip(card["sources"], arguments.priors, arguments.errors, strict=True):
        trained = load_prior(prior, expect={"prior_source": source, "family": card["family"], "model": card["model"]})
        shutil.copyfile(prior, folder / f"{source}.safetensors")
        shutil.copyfile(errors, folder / f"{source}.parquet")
    table = tables.read_csv(arguments.table)
    (row,) = table[
        (table["prior"] == card["prior"]) & (table["method"] == card["method"]) & (table["mix"] == card["mix"])
        & (table["source"] == "all")
    ].to_dict("records")  # fmt: skip
    card |= {
        "parameters": sum(parameter.numel() for parameter in trained.parameters()),
        "separation": {name: row[name] for name in QUALITY},
        "code": provenance.code(),
        "packages": provenance.packages(),
        "files": {path.name: files.sha256(path) for path in sorted(folder.glob("*.*")) if path.name != CARD},
    }
    card["sha256"] = checksum(card)
    files.write_bytes(folder / CARD, (json.dumps(card, indent=1, sort_keys=True) + "\n").encode())


if __name__ == "__main__":
    runtime.run(main)
