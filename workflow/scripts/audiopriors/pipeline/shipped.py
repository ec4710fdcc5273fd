"""What comes with the package: how its priors are put together, and the scale at which recordings meet them."""

from __future__ import annotations

from types import SimpleNamespace

from .. import shipped_priors
from ..errors import UserError
from . import programs
from .jobs import select
from .scale import ALL, DataSet, Scale

SCALE = "shipped"  # in paths

# Data set: its prior, its sampler, and what its priors are not for.
SHIPPED = {
    "toy": (
        "score", "alternating",
        "Waves of one steady tone, 1024 samples at 16 kHz, from the piano's range; nothing else.",
    ),
    "demo_band": (
        "score_music", "alternating_song",
        "A synthetic band of drums, bass, other and vocals, trained for minutes. Recorded music is not like it: expect "
        "sources to be mixed up. Nothing above 8 kHz is known.",
    ),
    "chorales": (
        "score_chorales", "alternating_song",
        "Four-part chorales on sampled violin, clarinet, tenor saxophone and bassoon, trained for minutes. Other "
        "instruments, drums and voices are unknown to it, and so is all above 8 kHz.",
    ),
}  # fmt: skip


def card(data: DataSet) -> dict:
    """The settings of the program ship.py: the card of a data set's priors, without what only files say."""
    prior, method, limits = _one(data)
    of_prior, only = data.scale.prior(prior), _only(data)
    place = SimpleNamespace(prior=prior, method=method, recording=None)
    names = ["separate_recording"]
    if only.file:
        names += ["score_recording", "figure_separated_file", "figure_scored_file", "page_of_file"]
    return {
        "format": shipped_priors.FORMAT,
        "dataset": data.name,
        "scale": data.scale.name,
        "sources": data.sources,
        "frame": data.frame,
        "rate": data.settings["settings"]["rate"],
        "data": data.data,
        "prior": prior,
        "method": method,
        "family": of_prior.family,
        "model": of_prior.model,
        "training": of_prior.training,
        "mix": data.first_mix,
        "licence": "MIT",
        "limits": limits,
        "programs": {name: getattr(programs, name)(only, place) for name in names},
    }


def _one(data: DataSet) -> tuple[str, str, str]:
    if data.name not in SHIPPED:
        raise UserError(f"no priors of {data.name} are shipped; there are {', '.join(SHIPPED)}")
    return SHIPPED[data.name]


def _only(data: DataSet) -> DataSet:
    """The data set with its shipped prior alone, which also takes recordings if the data are some."""
    prior, method, _ = _one(data)
    changes = {"priors": [prior], "published": [], "runs": {}, "supervised": {}, "posteriors": {}}
    if "channel" in data.settings["settings"]:
        changes["file"] = {"prior": prior, "method": method}
    return DataSet(Scale(SCALE, data.scale.settings | {"datasets": {data.name: data.settings | changes}}), data.name)


def scale(like: Scale) -> Scale:
    """The scale at which recordings meet shipped priors: its resources and figures are like that scale's."""
    able = [name for name in shipped_priors.names() if name in SHIPPED and name in like.datasets]
    datasets = {name: _only(like.dataset(name)).settings for name in able}
    return Scale(SCALE, like.settings | {"datasets": {name: one for name, one in datasets.items() if "file" in one}})


def settings(rule: str, data: DataSet, wildcards) -> dict:
    """What a program gets that separates, scores or shows a recording: as the card has it, whatever the config says."""
    of_card = shipped_priors.bundle(data.name).card["programs"][rule]
    return of_card | ({"recording": wildcards.recording} if "recording" in of_card else {})


def files(data: DataSet) -> dict[str, list[str]]:
    """The paths that ship.py puts together: each source's prior and error curve, and the table of separations."""
    prior, _, _ = _one(data)
    return {
        "priors": select(data, "train_prior", "prior", prior=prior, sigma=ALL, replicate="0"),
        "errors": select(data, "error_curve", "errors", prior=prior),
        "table": select(data, "table", "table", name="separation"),
    }
