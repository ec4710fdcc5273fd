"""The full scale, as the pipeline merges it of config.yaml and scales.yaml, for benchmarks."""

import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))
from audiopriors.checkpoints import build_prior
from audiopriors.pipeline import config
from audiopriors.priors.base import Prior


def scale(name: str = "full") -> dict:
    """A scale's merged configuration."""
    files = (ROOT / file for file in ("config.yaml", "scales.yaml", "claims.yaml"))
    return config.scales({key: value for file in files for key, value in yaml.safe_load(file.read_text()).items()})[name]


def prior(name: str, of: str = "full") -> Prior:
    """A fresh prior of a scale's size."""
    described = scale(of)["priors"][name]
    return build_prior(described["family"], described["model"])
