"""Trained priors that come with the package: weights, error curves and a card for each data set, in `trained`.

`make ship` makes them anew. It imports nothing heavy, so the workflow can look before its first job.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import registry
from .errors import UserError

if TYPE_CHECKING:
    from .priors.base import Prior

FOLDER = Path(__file__).with_name("trained")
CARD = "card.json"
DEFAULT = "demo_band"  # the data set whose priors a recording meets, if none is named
FORMAT = 1  # of cards
_WHAT_TO_DO = (
    "install audiopriors again, or, in a clone, run `git checkout -- workflow/scripts/audiopriors/trained`; `make "
    "ship` trains them anew"
)


@dataclass(frozen=True)
class Shipped:
    """The priors of a data set's sources. Its card says what they were trained on, how, and what they are not for."""

    folder: Path
    card: dict

    @property
    def name(self) -> str:
        """The data set's name."""
        return self.card["dataset"]

    @property
    def sources(self) -> list[str]:
        """Names of the sources."""
        return self.card["sources"]

    @property
    def takes_recordings(self) -> bool:
        """Whether recordings can be separated and scored with them."""
        return "score_recording" in self.card["programs"]

    def prior(self, source: str) -> Path:
        """The checkpoint of a source's prior."""
        return self.folder / f"{source}.safetensors"

    def errors(self, source: str) -> Path:
        """The error curve of a source's prior, from which samplers plan their noise levels."""
        return self.folder / f"{source}.parquet"

    def load(self, source: str) -> Prior:
        """The prior of a source, ready for use.

        Raises
        ------
        UserError: there is no such source.
        """
        from .checkpoints import load_prior

        if source not in self.sources:
            raise UserError(f"{self.name} has no source {source!r}; it has {', '.join(self.sources)}")
        return load_prior(self.prior(source), expect={"prior_source": source})

    def check(self) -> None:
        """Raise UserError unless every file is as it was shipped, and of this version of the program."""
        for name, digest in self.card["files"].items():
            try:
                content = (self.folder / name).read_bytes()
            except OSError:
                raise UserError(
                    f"{self.folder / name}: this file of the shipped priors is missing; {_WHAT_TO_DO}"
                ) from None
            if hashlib.sha256(content).hexdigest() != digest:
                raise UserError(f"{self.folder / name}: is not as it was shipped; {_WHAT_TO_DO}")
        family = self.card["family"]
        fields = registry.schema("priors", family)["properties"] if family in registry.names("priors") else {}
        if self.card["format"] != FORMAT or self.card["model"].keys() != fields.keys():
            raise UserError(f"{self.folder}: these priors are of another version of audiopriors; {_WHAT_TO_DO}")


def names() -> list[str]:
    """The names of data sets with shipped priors."""
    return sorted(path.name for path in FOLDER.iterdir() if path.is_dir()) if FOLDER.is_dir() else []


@functools.cache
def shipped() -> dict[str, Shipped]:
    """Every data set with shipped priors, by name, each checked.

    Raises
    ------
    UserError: a file is missing, altered or of another version; the message names it.
    """
    bundles = {name: Shipped(FOLDER / name, _card(FOLDER / name / CARD)) for name in names()}
    for one in bundles.values():
        one.check()
    return bundles


def _card(path: Path) -> dict:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        if card.pop("sha256") == checksum(card):
            return card
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise UserError(f"{path}: the card of shipped priors is missing or not as it was shipped; {_WHAT_TO_DO}")


def checksum(card: dict) -> str:
    """SHA-256 of a card without its own checksum."""
    return hashlib.sha256(json.dumps(card, sort_keys=True).encode()).hexdigest()


def bundle(name: str, *, for_recordings: bool = False) -> Shipped:
    """The shipped priors of that data set. for_recordings: whether they have to take recordings.

    Raises
    ------
    UserError: there are none, or a file is not as it was shipped.
    """
    able = {key: one for key, one in shipped().items() if one.takes_recordings or not for_recordings}
    if name not in able:
        what = "that take recordings" if for_recordings else "of that name"
        raise UserError(f"there are no shipped priors {name!r} {what}; there are {', '.join(able) or 'none'}")
    return able[name]
