"""Table: the verdict on every claim of the sources about one data set, from its tables by the config's rules."""

from pathlib import Path

from audiopriors import claims, tables


def build(settings, inputs):
    """The table. inputs: the tables that rules refer to by their file's name."""
    named = {Path(path).stem: tables.members(tables.read_csv(path)) for path in inputs}
    return claims.table(
        settings["claims"], named, settings["dataset"], settings["sources"], settings["scale"], settings["paper_size"]
    )


if __name__ == "__main__":
    tables.program(__doc__, build)
