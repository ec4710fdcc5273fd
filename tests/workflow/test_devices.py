"""Every program on another device than the CPU, pretended where there is none: nothing stays behind, numbers agree."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from audiopriors import files

PRETENDED = Path(__file__).with_name("pretended_gpu.py")
# Of smoke: a training or two of each family, its scores and samples, and every sampler.
ROWS = [
    "likelihood/toy/flowavenet/saw/seed0.parquet", "likelihood/toy/wavenet/saw/seed0.parquet",
    "likelihood/toy/exact/saw/seed0.parquet", "likelihood/toy/score/saw/seed0.parquet",
    "likelihood/toy/glow_mdct/saw/seed0.parquet", "likelihood/toy/glow_mel/saw/seed0.parquet",
    "separation/toy/reference/four.parquet", "separation/toy/wavenet/langevin_noise_free/four.parquet",
    "separation/toy/flowavenet/langevin_annealed/four.parquet", "separation/toy/exact/alternating/four.parquet",
    "separation/toy/score/alternating/two.parquet", "separation/toy/score/dirac/four.parquet",
    "separation/toy/score/gaussian/four.parquet", "separation/toy/score/langevin_planned/four.parquet",
]  # fmt: skip
SAMPLES = [f"samples/toy/{family}.npy" for family in ("flowavenet", "wavenet", "exact", "score", "glow_mdct")]


@pytest.fixture
def pretended(warm, tmp_path):
    """A folder with a `python` that runs programs on the pretended device."""
    program = tmp_path / "bin" / "python"
    program.parent.mkdir()
    program.write_text(
        f"""#!/bin/sh
case "$1" in
    *.py) exec '{warm}/python' '{PRETENDED}' "$@" ;;
    *) exec '{warm}/python' "$@" ;;
esac
"""
    )
    program.chmod(0o755)
    return program.parent


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("torch.ones(3) + torch.ones(3, device=device)", "add.Tensor: tensors on gpu and on cpu"),
        ("torch.ones(3, device=device)[torch.arange(2)].mul_(torch.ones(2))", "tensors on gpu and on cpu"),
        ("torch.ones(3, device=device).numpy()", "Error"),
        ("print((2 * torch.ones(3).to(device) + torch.tensor(1)).cpu().sum().item())", "9.0"),
    ],
)
def test_devices_do_not_mix(pretended, repository, tmp_path, line, said):
    script = tmp_path / "program.py"
    script.write_text(f"import torch\nfrom audiopriors import runtime\ndevice = runtime.prepare(1)\n{line}\n")
    done = subprocess.run(
        [pretended / "python", script], env=os.environ | {"PYTHONPATH": str(repository.folder / "workflow/scripts")},
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode == 0) == (said == "9.0") and said in done.stdout + done.stderr, done.stderr


def test_programs_run_on_another_device(pretended, smoke, repository, tmp_path):
    place = repository.copy(tmp_path / "work")
    done = place.snakemake("--", *(f"results/smoke/{name}" for name in [*ROWS, *SAMPLES]), programs=pretended)
    assert done.returncode == 0, done.stdout[-3000:]
    for name in ROWS:
        assert files.rows_made_on(str(place.folder / "results/smoke" / name)) == "a pretended GPU"
        on_device, on_cpu = (pd.read_parquet(one.folder / "results/smoke" / name) for one in (place, smoke))
        if "/score/" not in name and "reference" not in name:
            pd.testing.assert_frame_equal(on_device, on_cpu)
            continue
        # Networks of score priors take other pieces of a batch there: trainings differ in the last digits, and
        # a sampler under priors of a few steps makes more of it.
        numbers = on_device.select_dtypes("number").columns
        pd.testing.assert_frame_equal(on_device.drop(columns=numbers), on_cpu.drop(columns=numbers))
        assert (np.isfinite(on_device[numbers]) == np.isfinite(on_cpu[numbers])).all(axis=None)
        if "likelihood" in name:
            np.testing.assert_allclose(on_device["value"], on_cpu["value"], rtol=0.05, atol=1)
    for name in SAMPLES:
        # A glow's 2-D convolutions have other kernels there, so its weights differ in the last digits.
        tolerance = 0.05 if "score" in name else 1e-5 if "glow" in name else 0
        on_device, on_cpu = (np.load(one.folder / "results/smoke" / name) for one in (place, smoke))
        np.testing.assert_allclose(on_device, on_cpu, atol=tolerance)
