"""The training loop: schedule, noise, resume after SIGKILL, and what stops it."""

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from audiopriors import precision, runtime, training
from audiopriors.checkpoints import build_prior, load_tensors
from audiopriors.data import toy
from audiopriors.errors import UserError
from audiopriors.optimiser import Adam
from audiopriors.runtime import OutOfTime
from conftest import ROOT

MODEL = {
    "blocks": 2, "flows": 1, "layers": 2, "kernel_size": 3, "width": 8, "blocks_per_split": 1,
    "partition": "interleaved", "log_scale_bound": 3.0, "log_det_weight": 1.0, "sigma_min": 0.0,
    "sigma_max": 0.0,
}  # fmt: skip
DATA = toy.Config("paper", 16000, 16384, "uniform", (27.5, 4186), (0.8, 1.0), False, 50, 8, 8)
TRAINING = training.Training(
    steps=12, batch=4, frame=64, learning_rate=1e-3, schedule="steps", decays=5, decay=0.6, warm_up=0.0, beta2=0.999,
    gradient_clip=1.0, average=0.0, noise="fixed", precision="float32", initialise_items=8,
    validation_items=4, log_points=4, save_seconds=0.0,
)  # fmt: skip


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "items.parquet"
    toy.make(DATA, list(toy.SOURCES), (0,)).to_parquet(path)
    return toy.Frames(str(path), DATA)


def run(data, folder, settings=TRAINING, sigma=0.1, seed=(0, "test"), fingerprint="f", device="cpu", **options):
    training.initial_weights(seed)
    prior = build_prior("flowavenet", MODEL)
    losses = training.train(
        prior, data, "saw", sigma, settings, seed=seed, fingerprint=fingerprint, state=folder / "state",
        device=torch.device(device), fresh=True, **options,
    )  # fmt: skip
    return prior, losses


def same(one, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_schedule_is_the_papers():
    paper = replace(TRAINING, steps=600, learning_rate=1e-4)
    rates = [training.learning_rate(paper, step) for step in range(600)]
    assert rates[0] == rates[99] == 1e-4
    for k in range(1, 6):
        assert rates[100 * k] == pytest.approx(1e-4 * 0.6**k) == rates[100 * k + 99]


def test_cosine_schedule_with_warm_up():
    settings = replace(TRAINING, steps=100, learning_rate=1.0, schedule="cosine", warm_up=0.05)
    rates = [training.learning_rate(settings, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.2) and rates[4] == max(rates) and rates == rates[:5] + sorted(rates[5:])[::-1]
    assert rates[50] == pytest.approx(0.51) and rates[-1] == pytest.approx(0.02, abs=1e-3)


def test_adam_is_torchs():
    torch.manual_seed(0)
    one = torch.nn.Linear(3, 4)
    other = torch.nn.Linear(3, 4)
    other.load_state_dict(one.state_dict())
    ours, theirs = Adam(one, 0.99), torch.optim.Adam(other.parameters(), lr=0.01, betas=(0.9, 0.99), fused=True)
    for _ in range(10):
        x = torch.randn(5, 3)
        for net in (one, other):
            net.zero_grad()
            net(x).square().mean().backward()
        ours.step(0.01)
        theirs.step()
    assert same(one, other)


def test_training_needs_no_compiler():
    """torch.optim's classes import torch._dynamo at their first step: 3 s that a training of seconds need not spend."""
    program = """
import sys; sys.path[:0] = ["workflow/scripts", "tests", "tests/unit"]
from test_training import *
import pathlib, tempfile
folder = pathlib.Path(tempfile.mkdtemp())
toy.make(DATA, list(toy.SOURCES), (0,)).to_parquet(folder / "i.parquet")
run(toy.Frames(str(folder / "i.parquet"), DATA), folder)
assert "torch._dynamo" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


@pytest.mark.parametrize(("done", "level"), [(0, 4.0), (0.5, 1.0), (1, 0.25)])
def test_noise_falls_as_the_training_goes_on(done, level):
    clean, seed = torch.ones(2, 1, 2000), torch.Generator().manual_seed(0)
    noisy, reached = training.add_noise(clean, (0.25, 4.0), replace(TRAINING, noise="falling"), seed, done)
    assert reached == pytest.approx(level) and (noisy - clean).std().item() == pytest.approx(level, rel=0.05)


def test_noise_laws():
    clean = torch.zeros(4000, 1, 20)
    generator = torch.Generator().manual_seed(0)
    settings = {law: replace(TRAINING, noise=law) for law in ("fixed", "uniform_up_to", "log_uniform")}
    assert training.add_noise(clean, 0.0, settings["fixed"], generator)[0] is clean
    fixed, level = training.add_noise(clean, 0.5, settings["fixed"], generator)
    assert level == 0.5
    assert fixed.std().item() == pytest.approx(0.5, rel=0.02)
    assert fixed.abs().max() > 1  # not clamped
    spread = training.add_noise(clean, 0.5, settings["uniform_up_to"], generator)[0].std((1, 2))
    assert spread.mean().item() == pytest.approx(0.25, rel=0.05) and spread.max() < 0.9
    assert spread.std().item() == pytest.approx(0.5 / 12**0.5, rel=0.15)
    noisy, levels = training.add_noise(torch.zeros(100, 1, 2000), (0.01, 10.0), settings["log_uniform"], generator)
    assert noisy.std((1, 2)).numpy() == pytest.approx(levels.numpy(), rel=0.1)
    edges = torch.logspace(-2, 1, 101)
    assert (levels >= edges[:-1] * 0.9999).all() and (levels <= edges[1:] * 1.0001).all()  # one item a part
    preferring = replace(settings["log_uniform"], preferred=0.9, preferred_from=1.0)
    _, levels = training.add_noise(torch.zeros(100, 1, 2), (0.01, 10.0), preferring, generator)
    edges = torch.cat([torch.logspace(-2, 0, 11), torch.logspace(0, 1, 91)[1:]])
    assert (levels >= edges[:-1] * 0.9999).all() and (levels <= edges[1:] * 1.0001).all()


def test_a_prior_that_is_not_told_the_noise_cannot_serve_all_levels(data, tmp_path):
    with pytest.raises(UserError, match="one model cannot serve all levels"):
        run(data, tmp_path, sigma=build_prior("flowavenet", MODEL).noise_range)


def test_preferred_levels_outside_the_priors_are_refused(data, tmp_path):
    settings = replace(TRAINING, noise="log_uniform", preferred=0.5, preferred_from=4.0)
    with pytest.raises(UserError, match="preferred_from is 4, which is not within the prior's noise levels"):
        run(data, tmp_path, settings, sigma=(0.01, 2.0))


def test_average_of_weights_is_kept(data, tmp_path):
    """Weights that move by the same step every time lag behind by 1 / (1 - decay) steps on average."""
    net = torch.nn.Linear(1, 1, bias=False)
    optimiser = Adam(net, 0.999, average=0.9)
    (weight,) = optimiser.parameters
    with torch.no_grad():
        weight.zero_()
    for _ in range(400):
        weight.grad = -torch.ones_like(weight)  # Adam's step is then the rate
        optimiser.step(1.0)
    optimiser.swap_average()
    assert weight.item() == pytest.approx(400 - 9, abs=0.05)
    optimiser.swap_average()
    assert weight.item() == pytest.approx(400, abs=0.05)
    settings = replace(TRAINING, average=0.9)
    whole, losses = run(data, tmp_path / "whole", settings)
    for _ in range(3):
        with pytest.raises(OutOfTime):
            run(data, tmp_path / "interrupted", settings, deadline=time.monotonic() - 1)
    resumed, resumed_losses = run(data, tmp_path / "interrupted", settings)
    assert same(whole, resumed) and losses == resumed_losses
    assert not same(whole, run(data, tmp_path / "last")[0])


def test_loss_falls_and_is_the_same_each_time(data, tmp_path):
    first, losses = run(data, tmp_path, replace(TRAINING, steps=150))
    again, _ = run(data, tmp_path / "again", replace(TRAINING, steps=150))
    assert same(first, again)
    assert losses[-1]["held_out_loss"] < losses[0]["held_out_loss"]
    assert losses[-1]["step"] == 150 and all(math.isfinite(value) for row in losses for value in row.values())
    other, _ = run(data, tmp_path / "other", replace(TRAINING, steps=150), seed=(1, "test"))
    assert not same(first, other)


def test_training_in_bfloat16_keeps_float32_weights(data, tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "_multiplies_bfloat16", lambda kind: True)
    settings = replace(TRAINING, steps=150, precision="bfloat16")
    (one, losses), (other, _) = (run(data, tmp_path / name, settings) for name in ("one", "other"))
    assert same(one, other) and losses[-1]["held_out_loss"] < losses[0]["held_out_loss"]
    assert all(value.dtype == torch.float32 for value in one.state_dict().values())
    assert not same(one, run(data, tmp_path / "in float32", replace(settings, precision="float32"))[0])


@pytest.fixture
def prepared(monkeypatch):
    """What runtime.prepare sets for the whole process, set back."""
    threads = torch.get_num_threads()
    monkeypatch.setattr(runtime, "current", runtime.Run())
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")  # so that it is known, and what `prepare` sets is undone
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    yield lambda: runtime.prepare(1)
    torch.set_deterministic_debug_mode("default")
    torch.utils.deterministic.fill_uninitialized_memory = True
    torch.set_flush_denormal(False)
    torch.set_num_threads(threads)


def test_a_gpu_is_asked_for_the_same_bytes_each_time(prepared, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert prepared().type == "cpu" and torch.get_deterministic_debug_mode() == 0
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a GPU")
    assert prepared().type == "cuda" and runtime.current.device == "a GPU"
    assert torch.get_deterministic_debug_mode() == 1 and os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_trainings_on_a_gpu_are_the_same_each_time(prepared, data, tmp_path):
    device = prepared()
    one, other = (run(data, tmp_path / name, device=device)[0] for name in ("one", "other"))
    assert same(one, other)


def test_the_loss_table_of_a_resumed_training_has_the_same_bytes(data, tmp_path):
    """Also of a state that was saved after a row: the file's JSON sorts a row's names."""
    whole = training.loss_table(run(data, tmp_path / "whole")[1])
    folder = tmp_path / "interrupted"
    for _ in range(5):  # rows are at every third step
        with pytest.raises(OutOfTime):
            run(data, folder, deadline=time.monotonic() - 1)
    losses = run(data, folder)[1]
    assert training.loss_table(losses) == whole and list(losses[0]) != list(losses[-1])
    assert whole.splitlines()[0] == b"step,learning_rate,loss,held_out_loss"
    parts = training.loss_table([losses[0] | {"log_prior": 1.0, "entropy": 2.0}])
    assert parts.splitlines()[0] == b"step,learning_rate,loss,held_out_loss,entropy,log_prior"


def test_deadline_saves_and_resumes_bit_for_bit(data, tmp_path):
    whole, losses = run(data, tmp_path / "whole")
    folder = tmp_path / "interrupted"
    for attempt in range(1, 12):  # a deadline in the past: one step an attempt
        with pytest.raises(OutOfTime, match=f"step {attempt} of 12.*run again"):
            run(data, folder, deadline=time.monotonic() - 1)
    resumed, resumed_losses = run(data, folder)
    assert same(whole, resumed)
    assert losses == resumed_losses


def test_state_of_another_configuration_is_discarded(data, tmp_path, caplog):
    with pytest.raises(OutOfTime):
        run(data, tmp_path, deadline=time.monotonic() - 1)
    caplog.set_level("INFO")
    fresh, _ = run(data, tmp_path, fingerprint="other")
    assert "another configuration" in caplog.text
    (tmp_path / "state").write_bytes(b"broken")
    caplog.clear()
    again, _ = run(data, tmp_path, fingerprint="other")
    assert "discarded" in caplog.text and same(fresh, again)


def test_nan_names_the_step_and_keeps_the_last_good_state(data, tmp_path, monkeypatch):
    settings = replace(TRAINING, learning_rate=1e30, gradient_clip=0.0)
    with pytest.raises(training.LossNotFinite, match=r"loss is .* at step \d+ of 12: lower training.learning_rate"):
        run(data, tmp_path, settings)
    tensors, description = load_tensors(tmp_path / "state")
    assert description["step"] >= 1 and tensors


def command(folder: Path, steps: int) -> list[str]:
    fields = {name: getattr(DATA, name) for name in DATA.__dataclass_fields__}
    settings = {
        "threads": 1, "dataset": "toy", "prior": "flowavenet", "family": "flowavenet", "model": MODEL,
        "data": {"kind": "toy", "settings": fields}, "prior_source": "saw", "sigma": "0.1", "seed": [0, "train"],
        "training": {n: getattr(TRAINING, n) for n in TRAINING.__dataclass_fields__} | {"steps": steps},
    }  # fmt: skip
    return [
        sys.executable, str(ROOT / "workflow/scripts/train_prior.py"), "--settings", json.dumps(settings),
        "--data", str(folder.parent / "items.parquet"), "--prior", str(folder / "prior.safetensors"),
        "--losses", str(folder / "losses.csv"),
    ]  # fmt: skip


def test_killed_at_random_points_ends_in_the_same_bytes(tmp_path):
    toy.make(DATA, list(toy.SOURCES), (0,)).to_parquet(tmp_path / "items.parquet")
    quiet, killed = tmp_path / "quiet", tmp_path / "killed"
    steps = 300
    subprocess.run(command(quiet, steps), check=True, capture_output=True)
    chance, kills = random.Random(0), 0
    for _ in range(6):
        process = subprocess.Popen(command(killed, steps), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        state = killed / "prior.safetensors.resume"
        before = state.stat().st_mtime_ns if state.exists() else 0
        while process.poll() is None and not (state.exists() and state.stat().st_mtime_ns != before):
            time.sleep(0.01)  # it has saved something new, so the next attempt starts further on
        time.sleep(chance.uniform(0, 0.3))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills >= 3
    subprocess.run(command(killed, steps), check=True, capture_output=True)
    for name in ("prior.safetensors", "losses.csv"):
        assert (killed / name).read_bytes() == (quiet / name).read_bytes()
    assert not list(killed.glob("*.resume"))  # success removes it; a temporary file of a killed save may stay
