"""Sum up the cost of each kind of job. This is the only table with clock times.

Of samplers that are compared with the exact posterior it also says how many exact draws a second of sampling is worth.
A resumed training counts with its last attempt only.
"""

import math
import re
from pathlib import Path

import pandas as pd
from audiopriors import files, runtime, tables
from audiopriors.columns import COLUMNS


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--benchmarks", "Snakemake's benchmark files", many=True)
    program.input("--fidelity", "rows of samplers compared with the exact posterior", many=True, required=False)
    program.output("--output", "the table (CSV)")
    arguments = program.arguments()
    rows, worth = [], {}
    for path in arguments.fidelity:
        sampled = files.read_rows([path])
        worth[tuple(sampled[["prior", "method"]].iloc[0])] = len(sampled) / sampled["mean_error"].mean()
    for path in map(Path, arguments.benchmarks):
        below = path.parts[path.parts.index("benchmarks") + 1 :]
        log = Path(*("logs" if part == "benchmarks" else part for part in path.parts)).with_suffix(".log")
        text = log.read_text(errors="replace")
        line, memory = re.search(r"device (.+), (\d+) threads", text), re.search(r"at most (\d+) MB of memory", text)[1]
        measured = pd.read_csv(path, sep="\t").iloc[0]
        rows.append({
            "what": below[0], "dataset": Path(below[1]).stem, "prior": below[2] if len(below) > 3 else "",
            "method": Path(below[3]).stem if below[0] in ("separate", "sample_posterior") else "",
            "seconds": measured["s"], "threads": int(line[2]) if line else 1, "device": line[1] if line else "cpu",
            "jobs": 1, "memory_mb": float(memory), "draws_per_second": math.nan,
        })  # fmt: skip
        if below[0] == "sample_posterior":
            seconds = sum(map(float, re.findall(r"sampled in ([\d.]+) s", text)))
            rows[-1]["draws_per_second"] = worth[rows[-1]["prior"], rows[-1]["method"]] / seconds
    keys = ["what", "dataset", "prior", "method", "threads", "device"]
    table = pd.DataFrame(rows).groupby(keys, sort=False, as_index=False)
    table = table.agg({"seconds": "sum", "jobs": "sum", "memory_mb": "max", "draws_per_second": "max"})
    tables.write(table[list(COLUMNS["costs"])], arguments.output)


if __name__ == "__main__":
    runtime.run(main)
