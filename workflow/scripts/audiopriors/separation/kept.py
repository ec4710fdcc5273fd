"""Batches of a separation that are done, on disk, so that one that was stopped goes on where it was."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..checkpoints import CheckpointError, load_state, save_tensors
from .methods.base import Separated

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kept:
    """A folder of batches. The fingerprint says what they are of: those of another one are not used."""

    folder: Path
    fingerprint: str

    def save(self, start: int, batch: Separated, forming: Tensor) -> None:
        """Keep the batch whose first mix has that number. forming: (levels, N, T) of its first mix, or empty."""
        tensors = {**vars(batch), "forming": forming}
        save_tensors(self._path(start), tensors, {"fingerprint": self.fingerprint})

    def load(self, start: int) -> tuple[Separated, Tensor] | None:
        """What was kept of that batch; None if nothing was, or it is damaged or of something else."""
        path = self._path(start)
        if not path.exists():
            return None
        try:
            tensors, _ = load_state(path, self.fingerprint)
        except CheckpointError as error:
            log.info("a batch is separated again: %s", error)
            return None
        forming = tensors.pop("forming")
        return Separated(**tensors), forming

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, start: int) -> Path:
        return self.folder / f"from-{start}.safetensors"
