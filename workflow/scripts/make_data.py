"""Make a data set's items: the toy data's table of parameters, or the index of frames cut out of recorded tracks.

Frames lie beside the table. A killed run that is started again continues after the last finished track.
"""

from pathlib import Path

from audiopriors import registry, runtime
from audiopriors.audio import roots
from audiopriors.files import write_bytes, write_rows


def main() -> None:
    program = runtime.Program(__doc__)
    program.output("--output", "the items (parquet)")
    arguments = program.arguments()
    settings = arguments.settings
    kind = settings["data"]["kind"]
    config = registry.settings("data", kind, settings["data"]["settings"])
    folder = Path(arguments.output).parent
    table = registry.load("data", kind).make(
        config, settings["sources"], tuple(settings["seed"]), folder, settings["frame"]
    )
    if settings.get("recordings"):
        write_bytes(folder / roots.STATE, settings["recordings"].encode())
    write_rows(table, arguments.output)


if __name__ == "__main__":
    runtime.run(main)
