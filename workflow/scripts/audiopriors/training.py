"""The training loop of every model, with the paper's schedule (section 5.2) and a seed per step; its command line."""

from __future__ import annotations

import argparse
import logging
import math
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from . import resume, runtime
from .errors import UserError
from .files import csv_of, digest, write_bytes
from .optimiser import Adam
from .precision import products_of
from .priors.base import Sigma, Trainable
from .runtime import OutOfTime
from .seeds import seed_of, torch_generator
from .settings import Training

log = logging.getLogger(__name__)


class LossNotFinite(UserError):
    """The loss became NaN or infinite."""


def learning_rate(training: Training, step: int) -> float:
    """The learning rate at a step. The paper's schedule multiplies it by `decay` at k / (decays + 1) of the steps.

    k runs from 1 to `decays`.
    """
    done = step / training.steps
    if training.schedule == "cosine":
        rate = training.learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
    else:
        falls = math.floor(step * (training.decays + 1) / training.steps)
        rate = training.learning_rate * training.decay ** min(falls, training.decays)
    warming = training.warm_up * training.steps
    return rate * min(1.0, (step + 1) / warming) if warming else rate


LOSSES = ("step", "learning_rate", "loss", "held_out_loss")  # columns of the loss table


def add_noise(
    clean: Tensor, sigma: float | tuple[float, float], training: Training, generator: torch.Generator, done: float = 0.0
) -> tuple[Tensor, Sigma]:
    """clean (B, 1, T) plus Gaussian noise, without clamping, and the noise level for the prior.

    With the law `log_uniform`, sigma is a range. Its logarithm is cut into B parts, and each item's level lies in
    another part; the levels returned are (B,). Parts are of one size, unless the training prefers some levels. With
    `falling`, sigma is a range, too. The level falls from its upper to its lower end while `done`, the share of the
    steps done, goes from 0 to 1. With other laws sigma is one number, and is returned.
    """
    law = training.noise
    if law == "falling":
        assert isinstance(sigma, tuple)
        low, high = sigma
        sigma, law = high * (low / high) ** done, "fixed"
    if law == "log_uniform":
        assert isinstance(sigma, tuple)
        low, high = map(math.log, sigma)
        part = torch.arange(clean.shape[0]) + torch.rand(clean.shape[0], generator=generator)
        if training.preferred:
            rare, edge = 1 - training.preferred, (math.log(training.preferred_from) - low) / (high - low)
            place = part / clean.shape[0]
            above, below = (place - rare) / training.preferred, edge * place / max(rare, 1e-12)
            part = clean.shape[0] * torch.where(place < rare, below, edge + (1 - edge) * above)
        levels = torch.exp(low + (high - low) * part / clean.shape[0])
        return clean + levels[:, None, None] * torch.randn(clean.shape, generator=generator), levels
    assert not isinstance(sigma, tuple)
    if sigma == 0:
        return clean, sigma
    deviation = sigma if law == "fixed" else sigma * torch.rand(clean.shape[0], 1, 1, generator=generator)
    return clean + deviation * torch.randn(clean.shape, generator=generator), sigma


def train(
    model: Trainable, data, source: str, sigma: float | tuple[float, float] | None, training: Training, *, seed: tuple,
    fingerprint: str, state: Path, device: torch.device, fresh: bool, deadline: float = math.inf,
) -> list[dict]:  # fmt: skip
    """Train a model in place, on `source` of `data`.

    model: a prior, or another module with `loss`, `initialise` and `loss_unit` as in priors/base.py. It may have
    `parts`, numbers of its last loss that the table also shows. data: has `draw`, `frames` and `count`, as in
    data/base.py. sigma: the noise level, or, with noise `log_uniform` or `falling`, the range of levels. seed: the
    beginning of every draw's seed. state: the file of the saved state; training continues from a state with the same
    fingerprint, bit for bit. fresh: whether the data-dependent initialisation is still to be done. deadline: on the
    clock of time.monotonic().

    Returns the loss table: step, learning_rate, loss (mean since the last row), held_out_loss, in model.loss_unit; and
    the parts of the latter.

    Raises
    ------
    UserError: sigma is None, as the prior has no noise_range; or preferred levels are not within it.
    LossNotFinite: the message names the step; the last saved state stays.
    OutOfTime: the state is saved; the same call continues.
    """
    if sigma is None:
        raise UserError(
            "this prior is not told the noise: one model cannot serve all levels, so give it other `levels`"
        )
    prefers = training.noise == "log_uniform" and training.preferred
    if prefers and not (isinstance(sigma, tuple) and sigma[0] < training.preferred_from < sigma[1]):
        raise UserError(
            f"training.preferred_from is {training.preferred_from:g}, which is not within the prior's noise levels "
            f"{sigma}; change it, or set training.preferred to 0"
        )
    model.to(device).train()

    def batch(clean: Tensor, *purpose, done: float = 1.0) -> tuple[Tensor, Tensor, Sigma]:
        """With noise, without, and the noise level."""
        noisy, level = add_noise(clean, sigma, training, torch_generator(*seed, "noise", *purpose), done)
        return noisy.to(device), clean.to(device), level.to(device) if isinstance(level, Tensor) else level

    validation = torch.arange(min(training.validation_items, data.count("validation")))
    held_out = data.frames("validation", source, validation, training.frame)

    optimiser = Adam(model, training.beta2, training.average)
    progress = resume.restore(state, fingerprint, model, optimiser)
    if progress:
        log.info("continues at step %d of %d", progress.step, training.steps)
    else:
        progress = resume.Progress()
        if fresh:
            clean = data.draw(source, training.initialise_items, training.frame, torch_generator(*seed, "initialise"))
            model.initialise(*batch(clean, "initialise"))

    def save() -> None:
        resume.save(state, fingerprint, model, optimiser, progress)

    every = max(1, training.steps // training.log_points)
    started, first_step, saved = time.monotonic(), progress.step, time.monotonic()
    bar = tqdm(total=training.steps, initial=progress.step, unit="step", disable=not sys.stderr.isatty())
    while progress.step < training.steps:
        step = progress.step
        clean = data.draw(source, training.batch, training.frame, torch_generator(*seed, "items", step))
        with products_of(training.precision):
            loss = model.loss(*batch(clean, step, done=step / max(1, training.steps - 1)))
            model.zero_grad()
            loss.backward()
        if not torch.isfinite(loss):
            raise LossNotFinite(
                f"the loss is {loss.item()} at step {step} of {training.steps}: lower training.learning_rate or "
                "training.gradient_clip in the config and run again"
            )
        rate = learning_rate(training, step)
        if training.gradient_clip:
            nn.utils.clip_grad_norm_(model.parameters(), training.gradient_clip)
        optimiser.step(rate)
        progress.window.append(loss.item())
        step += 1
        progress.step = step
        bar.update()
        if step % every == 0 or step == training.steps:
            optimiser.swap_average()
            with torch.no_grad():
                held = model.loss(*batch(held_out, "validation")).item()
            optimiser.swap_average()
            mean = sum(progress.window) / len(progress.window)
            row = dict(zip(LOSSES, (step, rate, mean, held), strict=True))
            progress.history.append(row | getattr(model, "parts", {}))
            progress.window = []
            speed = (step - first_step) / (time.monotonic() - started)
            left = timedelta(seconds=round((training.steps - step) / speed))
            message = f"loss {mean:.3f}, held out {held:.3f} {model.loss_unit}"
            bar.set_postfix_str(message)
            if bar.disable:
                log.info("step %d/%d, %s, %.1f steps/s, %s left", step, training.steps, message, speed, left)
        now = time.monotonic()
        if step < training.steps and now > deadline:
            save()
            raise OutOfTime(f"stopped at step {step} of {training.steps}, the state is saved: run again to continue")
        if now - saved > training.save_seconds:
            save()
            saved = now
    bar.close()
    optimiser.swap_average()
    model.eval()
    return progress.history


def add_arguments(program: runtime.Program) -> None:
    """Add the arguments that the command line of every training has."""
    program.input("--data", "the data set's items")
    program.input("--code", "files that change the result: a saved state knows them", many=True, required=False)
    program.option("--minutes", type=float, default=math.inf, help="stop and save shortly before so many minutes")
    program.output("--losses", "the loss table (CSV)")


def deadline_of(arguments: argparse.Namespace) -> float:
    """The deadline on the clock of time.monotonic(): a margin before the end of the minutes that begin now."""
    return time.monotonic() + 60 * arguments.minutes - min(120, 6 * arguments.minutes)


def by_command(
    model: Trainable, data, source: str, sigma: float | tuple[float, float] | None, arguments: argparse.Namespace, *,
    output: str, save: Callable[[], None], inputs: list[str], device: torch.device, fresh: bool, deadline: float,
) -> None:  # fmt: skip
    """Train as the command line says, write the loss table, call `save`, and remove the saved state.

    output: the state is kept beside this file. inputs: files that the result depends on, beside the code.
    """
    settings, state = arguments.settings, Path(f"{output}.resume")
    losses = train(
        model,
        data,
        source,
        sigma,
        Training(**settings["training"]),
        seed=tuple(settings["seed"]),
        # A state of another kind of device or version of torch would lead to other bytes.
        fingerprint=f"{digest(*inputs, *arguments.code)} {settings} {device.type} {torch.__version__}",
        state=state,
        device=device,
        fresh=fresh,
        deadline=deadline,
    )
    write_bytes(arguments.losses, loss_table(losses))
    save()
    state.unlink(missing_ok=True)


def loss_table(losses: list[dict]) -> bytes:
    """The rows of `train` as CSV, with columns in one order: rows of a restored state have them in another."""
    return csv_of([*LOSSES, *sorted(losses[0].keys() - set(LOSSES))], losses)


def initial_weights(seed: tuple) -> None:
    """Seed torch's global generator, from which a new prior takes its weights."""
    torch.manual_seed(seed_of(*seed, "weights"))
