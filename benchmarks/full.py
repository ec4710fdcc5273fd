"""The full scale, as the pipeline merges it of config.yaml and scales.yaml, for benchmarks."""

import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from audiopriors.checkpoints import build_prior
from audiopriors.pipeline import config
from audiopriors.priors.base import Prior

ROOT = Path(__file__).parents[1]


def scale(name: str = "full") -> dict:
    """A scale's merged configuration."""
    whole = {}
    for file in ("config.yaml", "scales.yaml", "claims.yaml"):
        whole |= yaml.safe_load((ROOT / file).read_text())
    return config.scales(whole)[name]


def prior(name: str, of: str = "full") -> Prior:
    """A fresh prior of a scale's size."""
    described = scale(of)["priors"][name]
    return build_prior(described["family"], described["model"])
