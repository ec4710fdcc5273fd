"""The state of a training on disk. A training that is started again continues from it, bit for bit."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from .checkpoints import CheckpointError, load_state, save_tensors
from .optimiser import Adam

log = logging.getLogger(__name__)


@dataclass
class Progress:
    """How far a training is."""

    step: int = 0
    "Number of steps done."
    window: list[float] = field(default_factory=list)
    "Losses since the last row of the loss table."
    history: list[dict] = field(default_factory=list)
    "The loss table."


def save(path: Path, fingerprint: str, model: nn.Module, optimiser: Adam, progress: Progress) -> None:
    """Write the state. The previous one stays until this one is complete."""
    tensors = {f"model/{name}": tensor for name, tensor in model.state_dict().items()}
    for name, values in optimiser.state.items():
        tensors |= {f"adam/{name}/{number}": tensor for number, tensor in enumerate(values)}
    save_tensors(path, tensors, {"fingerprint": fingerprint, **vars(progress)})


def restore(path: Path, fingerprint: str, model: nn.Module, optimiser: Adam) -> Progress | None:
    """Set model and optimiser to the saved state, and return its progress; None if no state has that fingerprint."""
    if not path.exists():
        return None
    try:
        tensors, description = load_state(path, fingerprint)
    except CheckpointError as error:
        log.info("the saved state is discarded: %s", error)
        return None
    of_model = {name: tensor for name, tensor in tensors.items() if name.startswith("model/")}
    model.load_state_dict({name.removeprefix("model/"): tensor for name, tensor in of_model.items()})
    for name, values in optimiser.state.items():
        for number, value in enumerate(values):
            value.copy_(tensors[f"adam/{name}/{number}"])
    return Progress(**description)
