"""Whether results are still what was written: recomputes the checksums of a finished scale, and of what its tables and
figures were made from. Says which files are altered, missing or stale, and exits with 1 if any is."""

import argparse
import sys
from pathlib import Path

from audiopriors import provenance, runtime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="such as results/quick")
    results = parser.parse_args().results
    problems = provenance.problems(results)
    for line in problems:
        print(line)
    print(f"{results}: {len(problems) or 'no'} problem{'s' * (len(problems) != 1)}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    runtime.run(main)
