"""Copy the figures (PNG) and tables (Markdown; long ones as CSV) of a scale to a folder that the repository keeps."""

import argparse
import shutil
from pathlib import Path

LONG = 512 * 1024  # bytes; longer Markdown is not shown by GitHub


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", required=True)
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    results = Path("results") / arguments.scale
    files = sorted([
        *results.glob("figures/*.png"), *results.glob("tables/*.md"), *results.glob("tables/*/*.md"),
        *results.glob("files/*/real_song/**/*.png"),
    ])  # fmt: skip
    if not files:
        raise SystemExit(f"error: {results} has no figures and tables; build it first: snakemake {arguments.scale}")
    arguments.to.mkdir(parents=True, exist_ok=True)
    for file in files:
        long = file.suffix == ".md" and file.stat().st_size >= LONG
        shown = file.with_suffix(".csv") if long else file
        kind, *folders = shown.parent.relative_to(results).parts
        # tables/demo_band/claims.md -> demo_band/claims.md, files/demo_band/real_song/.../scores.png -> demo_band/...
        place = arguments.to.joinpath(*folders[:1]) / ("real_song_" * (kind == "files") + shown.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shown, place)
    (arguments.to / "README.md").write_text(
        f"Figures and tables of one run of the {arguments.scale} scale, copied here by `make docs`. "
        "Small models trained for seconds: these numbers say that the pipeline works, not what large models do.\n"
    )


if __name__ == "__main__":
    main()
