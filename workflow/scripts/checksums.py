"""List the SHA-256 of result files in the form of sha256sum, with paths relative to the list's own folder."""

from pathlib import Path

from audiopriors import provenance, runtime
from audiopriors.files import write_bytes


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--files", "results below the list's folder", many=True)
    program.output("--output", "the list")
    arguments = program.arguments()
    folder = Path(arguments.output).parent
    lines = [f"{provenance.sha256(path)}  {Path(path).relative_to(folder)}\n" for path in sorted(arguments.files)]
    write_bytes(arguments.output, "".join(lines).encode())


if __name__ == "__main__":
    runtime.run(main)
