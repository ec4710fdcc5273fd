"""Table: what each recorded track of one data set is used for, or why it was left out."""

import json
from pathlib import Path

import pandas as pd
from audiopriors import tables
from audiopriors.audio import roots
from audiopriors.errors import UserError


def build(settings, inputs):
    """The table. inputs: the items, beside which roots.TRACKS lies."""
    items = Path(inputs[0])
    path = items.with_name(roots.TRACKS)
    if not path.exists():
        raise UserError(f"{path} is gone; remove {items} and run again, and it is made anew")
    return tables.tracks(pd.DataFrame(json.loads(path.read_text())), settings["dataset"])


if __name__ == "__main__":
    tables.program(__doc__, build)
