"""Sum up the cost of each kind of job. This is the only table with clock times.

A resumed training counts with its last attempt only.
"""

import re
from pathlib import Path

import pandas as pd
from audiopriors import runtime, tables
from audiopriors.columns import COLUMNS


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--benchmarks", "Snakemake's benchmark files", many=True)
    program.output("--output", "the table (CSV)")
    arguments = program.arguments()
    rows = []
    for path in map(Path, arguments.benchmarks):
        below = path.parts[path.parts.index("benchmarks") + 1 :]
        log = Path(*("logs" if part == "benchmarks" else part for part in path.parts)).with_suffix(".log")
        text = log.read_text(errors="replace")
        line, memory = re.search(r"device (.+), (\d+) threads", text), re.search(r"at most (\d+) MB of memory", text)[1]
        measured = pd.read_csv(path, sep="\t").iloc[0]
        rows.append({
            "what": below[0], "dataset": Path(below[1]).stem, "prior": below[2] if len(below) > 3 else "",
            "method": below[3] if below[0] in ("separate", "sample_posterior") else "", "seconds": measured["s"],
            "threads": int(line[2]) if line else 1, "device": line[1] if line else "cpu", "jobs": 1,
            "memory_mb": float(memory),
        })  # fmt: skip
    keys = ["what", "dataset", "prior", "method", "threads", "device"]
    table = pd.DataFrame(rows).groupby(keys, sort=False, as_index=False)
    table = table.agg({"seconds": "sum", "jobs": "sum", "memory_mb": "max"})
    tables.write(table[list(COLUMNS["costs"])], arguments.output)


if __name__ == "__main__":
    runtime.run(main)
