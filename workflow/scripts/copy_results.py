"""Copy the figures (PNG) and tables (CSV) of a scale to a folder that the repository keeps.

Longer tables stay in results. The rows of cross_likelihood that pages read are the data of the figure peakedness.
"""

import argparse
import shutil
from pathlib import Path

LONG = 1024 * 1024  # bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", required=True)
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    results = Path("results") / arguments.scale
    shown = [*results.glob("tables/*.html"), *results.glob("tables/*/*.html")]  # tables that the report shows
    tables = [page.with_suffix(".csv") for page in shown]
    files = sorted([
        *results.glob("figures/*.png"), *results.glob("figures/peakedness_*.csv"),
        *(table for table in tables if table.stat().st_size < LONG), *results.glob("files/*/real_song/**/*.png"),
    ])  # fmt: skip
    if not files:
        raise SystemExit(f"error: {results} has no figures and tables; build it first: snakemake {arguments.scale}")
    for file in files:
        kind, *folders = file.parent.relative_to(results).parts
        # tables/demo_band/claims.csv -> demo_band/claims.csv, files/demo_band/real_song/.../scores.png -> demo_band/...
        place = arguments.to.joinpath(*folders[:1]) / ("real_song_" * (kind == "files") + file.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)


if __name__ == "__main__":
    main()
