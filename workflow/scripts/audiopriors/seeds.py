"""Seeds for random draws. A seed depends on what the draw is for, never on when it happens."""

from __future__ import annotations

import hashlib
import json

import numpy as np


def seed_of(*purpose) -> int:
    """A 63-bit seed from the config's seed and the purpose of a draw: `seed_of(0, "train", "toy", "sine", 17)`."""
    digest = hashlib.blake2b(json.dumps(purpose).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def torch_generator(*purpose):
    """A torch generator with that seed. It runs on the CPU, so it gives the same numbers for every device."""
    import torch

    return torch.Generator().manual_seed(seed_of(*purpose))


def numpy_generator(*purpose) -> np.random.Generator:
    """A numpy generator with that seed."""
    return np.random.default_rng(seed_of(*purpose))
