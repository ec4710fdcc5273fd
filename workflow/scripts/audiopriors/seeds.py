"""Seeds from what a draw is for, never from when it happens."""

from __future__ import annotations

import hashlib
import json

import numpy as np


def seed_of(*purpose) -> int:
    """A 63-bit seed of the config's seed and of what is drawn, such as `seed_of(0, "train", "toy", "sine", 17)`."""
    digest = hashlib.blake2b(json.dumps(purpose).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def torch_generator(*purpose):
    """A CPU generator with that seed: the same numbers on every device."""
    import torch

    return torch.Generator().manual_seed(seed_of(*purpose))


def numpy_generator(*purpose) -> np.random.Generator:
    """The same for numpy."""
    return np.random.default_rng(seed_of(*purpose))
