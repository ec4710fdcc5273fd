"""Trained priors and training states on disk: safetensors with one JSON entry, written atomically, without pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from . import registry
from .errors import UserError
from .files import write_bytes
from .priors.base import Model, Prior

M = TypeVar("M", bound=Model)

# One entry only, as safetensors writes several in an order that changes from run to run.
_ENTRY = "audiopriors"
_CHECKSUM = "sha256"  # in the entry


class CheckpointError(UserError):
    """A checkpoint is broken, or is of another model than the one asked for."""


def save_tensors(path: str | Path, tensors: dict[str, torch.Tensor], description: dict) -> None:
    """Write tensors by name, and a description that JSON can hold."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    entry = description | {_CHECKSUM: _checksum(tensors, description)}
    write_bytes(path, save(tensors, {_ENTRY: json.dumps(entry, sort_keys=True)}))


def _checksum(tensors: dict[str, torch.Tensor], description: dict) -> str:
    """SHA-256 over everything in a checkpoint."""
    total = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        total.update(tensor.flatten().view(torch.uint8).numpy().data)
    return total.hexdigest()


def load_tensors(path: str | Path) -> tuple[dict[str, torch.Tensor], dict]:
    """Read the tensors and the description that `save_tensors` wrote.

    Raises
    ------
    CheckpointError: the file is missing, truncated, changed by a single bit, or not of this program.
    """
    try:
        with safe_open(str(path), "pt") as file:
            description = json.loads((file.metadata() or {})[_ENTRY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if description.pop(_CHECKSUM) != _checksum(tensors, description):
                raise ValueError("its checksum does not fit")
            return tensors, description
    except FileNotFoundError:
        raise CheckpointError(f"{path}: there is no such checkpoint") from None
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise CheckpointError(
            f"{path}: not a whole checkpoint of this program ({error}); delete it and run again"
        ) from None


def load_state(path: str | Path, fingerprint: str) -> tuple[dict[str, torch.Tensor], dict]:
    """Read what was saved with that fingerprint in its description, to go on from it.

    Raises
    ------
    CheckpointError: as in `load_tensors`; or it is of another configuration, data or code, and has another fingerprint.
    """
    tensors, description = load_tensors(path)
    if description.pop("fingerprint", None) != fingerprint:
        raise CheckpointError(f"{path}: is of another configuration, data or code")
    return tensors, description


def save_prior(path: str | Path, prior: nn.Module, description: dict) -> None:
    """Write a prior. Its description has at least `family` and `model` (the fields of the family's Config)."""
    save_tensors(path, prior.state_dict(), description)


def build_prior(family: str, model: dict) -> Prior:
    """An untrained prior of that family, with the settings `model` (see the Config in priors/FAMILY.py)."""
    return registry.load("priors", family).build(registry.settings("priors", family, model))


def load_prior(path: str | Path, *, expect: dict | None = None) -> Prior:
    """Load a trained prior, ready for use. Its attribute `description` says how it was trained.

    `description["sigma"]` is its noise level as in paths: "0" for clean waves, "all" for one model of all levels.

    expect: entries that the description must have, such as {"family": "flowavenet", "source": "sine"}.

    Raises
    ------
    CheckpointError: it is broken, or another model than expected; the message names the file and the difference.
    """
    tensors, description = load_tensors(path)
    _expect(path, description, expect)
    return filled(path, tensors, description, lambda: build_prior(description["family"], description["model"]))


def load_part(path: str | Path, source: str, *, expect: dict | None = None) -> Prior:
    """Load one source's prior from a file of priors that `train_jointly` has trained together.

    Raises
    ------
    CheckpointError: as in `load_prior`.
    """
    tensors, description = load_tensors(path)
    _expect(path, description, expect)
    place = f"{description['sources'].index(source)}."
    own = {name.removeprefix(place): tensor for name, tensor in tensors.items() if name.startswith(place)}
    return filled(path, own, description, lambda: build_prior(description["family"], description["model"]))


def _expect(path: str | Path, description: dict, expect: dict | None) -> None:
    for key, wanted in (expect or {}).items():
        if description.get(key) != wanted:
            raise CheckpointError(
                f"{path}: is a prior with {key} {description.get(key)!r}, but {wanted!r} was asked for; "
                "delete it and run again"
            )


def filled(path: str | Path, tensors: dict, description: dict, build: Callable[[], M]) -> M:
    """The model that `build` returns, with these weights and this description, ready for use.

    Raises
    ------
    CheckpointError: the weights do not fit the model; the message names the file.
    """
    try:
        model = build()
        model.load_state_dict(tensors)
    except (KeyError, TypeError, UserError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(
            f"{path}: does not fit this version of the model ({reason}); delete it and run again"
        ) from None
    model.description = description
    return model.eval().requires_grad_(False)
