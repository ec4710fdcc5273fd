"""Check that results are still as they were written.

The checksums of a finished scale, and of the files that its tables and figures were made from, are recomputed. Files
that are altered, missing or stale are listed; if there are any, the exit status is 1.
"""

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
