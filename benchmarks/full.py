"""A scale, as the pipeline merges it of its configuration, for benchmarks."""

import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from audiopriors.pipeline import config

ROOT = Path(__file__).parents[1]


def scale(name: str = "full") -> dict:
    """Its merged configuration."""
    whole = {}
    for file in ("config.yaml", "scales.yaml", "claims.yaml"):
        whole |= yaml.safe_load((ROOT / file).read_text())
    return config.scales(whole)[name]
