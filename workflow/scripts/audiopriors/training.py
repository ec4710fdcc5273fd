"""The one training loop: Adam, the paper's schedule (section 5.2), a seed per step, bit-exact resume."""

from __future__ import annotations

import argparse
import logging
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from tqdm import tqdm

from . import runtime
from .checkpoints import CheckpointError, load_tensors, save_tensors
from .errors import UserError
from .files import csv_of, digest, write_bytes
from .runtime import OutOfTime
from .seeds import seed_of, torch_generator

log = logging.getLogger(__name__)


class LossNotFinite(UserError):
    """The loss became NaN or infinite."""


@dataclass(frozen=True)
class Training:
    steps: int
    batch: int
    frame: int  # samples
    learning_rate: float
    schedule: Literal["steps", "cosine"]  # cosine: from the rate to 2 % of it; steps:
    decays: int  # the rate is multiplied by `decay` at so many steps, evenly spread: k / (decays + 1) of all steps
    decay: float
    warm_up: float  # share of the steps in which the rate rises from 0
    beta2: float  # Adam's second moment
    gradient_clip: float  # bound on the norm of the gradient; 0: none
    average: float  # decay of the exponential average of the weights that is kept instead of the last ones; 0: none
    # Standard deviation sigma; or per item, of U(0, sigma) (authors' code), or log-uniform in the prior's noise_range
    noise: Literal["fixed", "uniform_up_to", "log_uniform"]
    initialise_items: int  # frames for the data-dependent initialisation
    validation_items: int  # frames for the held-out loss
    log_points: int  # rows of the loss table
    save_seconds: float  # between two saved states; does not change the result


def learning_rate(training: Training, step: int) -> float:
    """The rate at a step. The paper's schedule: times `decay` at k / (decays + 1) of the steps, k = 1 ... decays."""
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
    clean: Tensor, sigma: float | tuple[float, float], law: str, generator: torch.Generator
) -> tuple[Tensor, float | Tensor]:
    """clean (B, 1, T) plus Gaussian noise, no clamping; and the noise level that the prior is told.

    Law log_uniform: sigma is a range, its logarithm is cut into B parts, each item's level is of another part, and the
    prior is told all of them, (B,). Otherwise sigma is one number, and what the prior is told.
    """
    if law == "log_uniform":
        low, high = map(math.log, sigma)
        part = torch.arange(clean.shape[0]) + torch.rand(clean.shape[0], generator=generator)
        told = torch.exp(low + (high - low) * part / clean.shape[0])
        return clean + told[:, None, None] * torch.randn(clean.shape, generator=generator), told
    if sigma == 0:
        return clean, sigma
    deviation = sigma if law == "fixed" else sigma * torch.rand(clean.shape[0], 1, 1, generator=generator)
    return clean + deviation * torch.randn(clean.shape, generator=generator), sigma


def train(
    prior: nn.Module, data, source: str, sigma: float | tuple[float, float], training: Training, *, seed: tuple,
    fingerprint: str, resume: Path, device: torch.device, fresh: bool, deadline: float = math.inf,
) -> list[dict]:  # fmt: skip
    """Train `prior` in place, on `source` of `data` (an object with `draw`, `frames` and `count`).

    sigma: the noise level, or, with noise `log_uniform`, the range of all. seed: what every draw's seed begins with.
    resume: where the state is kept; a state of the same fingerprint continues, bit for bit. fresh: whether the
    data-dependent initialisation is still to be done. deadline: on the clock of time.monotonic().

    Returns the loss table: step, learning_rate, loss (mean since the last row), held_out_loss; in prior.loss_unit.

    Raises
    ------
    LossNotFinite: names the step; the last saved state stays.
    OutOfTime: the state is saved; the same call continues.
    """
    prior.to(device).train()

    def noisy(clean: Tensor, *purpose) -> Tensor:
        """With noise, of which the prior is told."""
        made, told = add_noise(clean, sigma, training.noise, torch_generator(*seed, "noise", *purpose))
        prior.at(told.to(device) if isinstance(told, Tensor) else told)
        return made.to(device)

    def loss_of(clean: Tensor, *purpose) -> Tensor:
        return prior.loss(noisy(clean, *purpose), clean.to(device))

    validation = torch.arange(min(training.validation_items, data.count("validation")))
    held_out = data.frames("validation", source, validation, training.frame)

    optimiser = Adam(prior, training.beta2, training.average)
    state = _load_state(resume, fingerprint)
    if state:
        step, window, history = _restore(state, prior, optimiser)
        log.info("continues at step %d of %d", step, training.steps)
    else:
        step, window, history = 0, [], []
        if fresh:
            clean = data.draw(source, training.initialise_items, training.frame, torch_generator(*seed, "initialise"))
            prior.initialise(noisy(clean, "initialise"), clean.to(device))

    def save() -> None:
        save_tensors(resume, _state(prior, optimiser), {
            "fingerprint": fingerprint, "step": step, "window": window, "history": history,
        })  # fmt: skip

    every = max(1, training.steps // training.log_points)
    started, first_step, saved = time.monotonic(), step, time.monotonic()
    bar = tqdm(total=training.steps, initial=step, unit="step", disable=not sys.stderr.isatty())
    while step < training.steps:
        clean = data.draw(source, training.batch, training.frame, torch_generator(*seed, "items", step))
        loss = loss_of(clean, step)
        if not torch.isfinite(loss):
            raise LossNotFinite(
                f"the loss is {loss.item()} at step {step} of {training.steps}: lower training.learning_rate or "
                "training.gradient_clip in the config and run again"
            )
        rate = learning_rate(training, step)
        prior.zero_grad()
        loss.backward()
        if training.gradient_clip:
            nn.utils.clip_grad_norm_(prior.parameters(), training.gradient_clip)
        optimiser.step(rate)
        window.append(loss.item())
        step += 1
        bar.update()
        if step % every == 0 or step == training.steps:
            optimiser.swap_average()
            with torch.no_grad():
                held = loss_of(held_out, "validation").item()
            optimiser.swap_average()
            history.append(dict(zip(LOSSES, (step, rate, sum(window) / len(window), held), strict=True)))
            window = []
            speed = (step - first_step) / (time.monotonic() - started)
            left = timedelta(seconds=round((training.steps - step) / speed))
            message = f"loss {history[-1]['loss']:.3f}, held out {held:.3f} {prior.loss_unit}"
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
    prior.eval()
    return history


def add_arguments(program: runtime.Program) -> None:
    """What the command line of every training has."""
    program.input("--data", "the data set's items")
    program.input("--code", "files that change the result: a saved state knows them", many=True, required=False)
    program.option("--minutes", type=float, default=math.inf, help="stop and save shortly before so many minutes")
    program.output("--losses", "the loss table (CSV)")


def deadline_of(arguments: argparse.Namespace) -> float:
    """On the clock of time.monotonic(): a margin before the minutes that begin now."""
    return time.monotonic() + 60 * arguments.minutes - min(120, 6 * arguments.minutes)


def by_command(
    model: nn.Module, data, source: str, sigma: float | tuple[float, float], arguments: argparse.Namespace, *,
    output: str, save: Callable[[], None], inputs: list[str], device: torch.device, fresh: bool, deadline: float,
) -> None:  # fmt: skip
    """Train as the command line says, write the loss table, save, and remove the saved state.

    output: beside it the state is kept. inputs: files that the result depends on, beside the code.
    """
    settings, resume = arguments.settings, Path(f"{output}.resume")
    losses = train(
        model,
        data,
        source,
        sigma,
        Training(**settings["training"]),
        seed=tuple(settings["seed"]),
        # Another kind of device or version of torch would go on to other bytes than either gives.
        fingerprint=f"{digest(*inputs, *arguments.code)} {settings} {device.type} {torch.__version__}",
        resume=resume,
        device=device,
        fresh=fresh,
        deadline=deadline,
    )
    write_bytes(arguments.losses, csv_of(LOSSES, losses))
    save()
    resume.unlink(missing_ok=True)


def initial_weights(seed: tuple) -> None:
    """Seed torch's global generator, from which a fresh prior takes its weights."""
    torch.manual_seed(seed_of(*seed, "weights"))


class Adam:
    """torch's Adam (Kingma & Ba, 2014) by its functional form: torch.optim.Adam imports a compiler, 3 s a training."""

    def __init__(self, prior: nn.Module, beta2: float, average: float = 0.0):
        self.parameters, self.beta2, self.average = list(prior.parameters()), beta2, average
        self.state = {  # as in torch.optim.Adam
            "exp_avg": [torch.zeros_like(parameter) for parameter in self.parameters],
            "exp_avg_sq": [torch.zeros_like(parameter) for parameter in self.parameters],
            "step": [torch.zeros(()) for _ in self.parameters],
        }
        if average:
            self.state["average"] = [torch.zeros_like(parameter) for parameter in self.parameters]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One step along the gradients that the parameters hold."""
        adam(
            self.parameters, [parameter.grad for parameter in self.parameters], self.state["exp_avg"],
            self.state["exp_avg_sq"], [], self.state["step"], foreach=self.parameters[0].is_cuda, amsgrad=False,
            beta1=0.9, beta2=self.beta2, lr=rate, weight_decay=0.0, eps=1e-8, maximize=False,
        )  # fmt: skip
        if self.average:
            taken = self.state["step"][0].item()  # the average of few steps is a short one, so that the start fades
            weight = 1 - min(self.average, (taken - 1) / (taken + 9))
            torch._foreach_lerp_(self.state["average"], self.parameters, weight)

    def swap_average(self) -> None:
        """Exchange the weights and their average, if there is one."""
        for parameter, average in zip(self.parameters, self.state.get("average", []), strict=False):
            parameter.data, average.data = average.data, parameter.data


def _state(prior: nn.Module, optimiser: Adam) -> dict[str, Tensor]:
    state = {f"prior/{name}": tensor for name, tensor in prior.state_dict().items()}
    for name, tensors in optimiser.state.items():
        state |= {f"adam/{name}/{number}": tensor for number, tensor in enumerate(tensors)}
    return state


def _load_state(resume: Path, fingerprint: str) -> tuple[dict[str, Tensor], dict] | None:
    if not resume.exists():
        return None
    try:
        state, description = load_tensors(resume)
    except CheckpointError as error:
        log.info("the saved state is discarded: %s", error)
        return None
    if description.get("fingerprint") != fingerprint:
        log.info("the saved state %s is of another configuration, data or code: discarded", resume)
        return None
    return state, description


def _restore(state, prior: nn.Module, optimiser: Adam) -> tuple[int, list, list]:
    tensors, description = state
    prior.load_state_dict({name[6:]: value for name, value in tensors.items() if name.startswith("prior/")})
    for name, values in optimiser.state.items():
        for number, value in enumerate(values):
            value.copy_(tensors[f"adam/{name}/{number}"])
    return description["step"], description["window"], description["history"]
