"""Settings of trainings and evaluations: the config's schema is read from these classes (see registry.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .types import Count, NonNegative, Positive, Several, Share, ShareAboveZero, ShareBelowOne


@dataclass(frozen=True)
class Training:
    steps: Count
    "Gradient steps."
    batch: Count
    "Frames a step."
    frame: Count
    "Samples of a frame: the data set's."
    learning_rate: Positive
    "Adam's, at the start."
    schedule: Literal["steps", "cosine"]
    "How the rate falls: in `decays` steps (paper), or along a cosine to 2 % of it."
    decays: int
    "How often the rate falls with schedule `steps`, at k / (decays + 1) of the steps."
    decay: ShareAboveZero
    "The factor by which it falls."
    warm_up: Share
    "Share of the steps in which the rate rises from 0."
    beta2: ShareBelowOne
    "Decay of Adam's second moment."
    gradient_clip: NonNegative
    "Bound on the gradient's norm; 0: none."
    average: ShareBelowOne
    "Decay of the average of the weights that is kept instead of the last ones; 0: the last ones."
    noise: Literal["fixed", "uniform_up_to", "log_uniform", "falling"]
    "Noise of deviation sigma; per item, of U(0, sigma) (authors' code), or log-uniform in a range; or falling in it."
    precision: Literal["float32", "bfloat16"]
    "Of what the layers multiply in training (precision.py); weights, sums and all that is measured are float32."
    initialise_items: Several
    "Frames for the data-dependent initialisation."
    validation_items: Count
    "Frames for the held-out loss."
    log_points: Count
    "Rows of the loss table."
    save_seconds: NonNegative
    "Between two saved states; does not change the result."


@dataclass(frozen=True)
class Jointly:
    starts_from: str
    "The prior of the config whose models of the same noise level it starts from."
    objective: Literal["softmax", "classifier"]
    "What classifies: the priors' own log-likelihoods, or a classifier on each prior's latents (authors' code)."
    weight: NonNegative
    "Weight of the log-probability of the true source, in nats beside those of the likelihood."
    temperature: Positive
    "By what the logits are divided."


@dataclass(frozen=True)
class Evaluation:
    test_items: Several
    "Test items of each source in every table."
    input_items: Several
    "Items of which only a mean is taken: mixes, Gaussian inputs, in-class items with another noise than the prior's."
    constants: list[float]
    "Constant inputs."
    normals: list[Positive]
    "Standard deviations of Gaussian inputs; they also serve the entropy gate."
    peakedness: list[str]
    "Noise levels added to in-class items, beside `sigmas`; one of these is not measured twice."
    gradient_items: Count
    "Items for the mean squared norm of the gradient."
    denoised: list[str]
    "Noise levels at which test items are denoised, beside `sigmas`."
    denoised_items: Several
    "Test items that are denoised at each noise level."
    denoising_steps: Several
    "Steps of Langevin dynamics that denoise (denoising.py); the second half of them is averaged."
    denoising_step_size: Positive
    "The time of such a step, in units of that in which the noise forgets where it began."
    batch_samples: Count
    "Samples (items x frame) that pass a prior at once: bounds the memory."


@dataclass(frozen=True)
class ErrorCurve:
    items: Several
    "Validation items."
    levels: Several
    "Noise levels, evenly spaced in their logarithm."
    range: tuple[Positive, Positive]
    "The lowest and the highest."


@dataclass(frozen=True)
class Plan:
    levels: Several
    "Noise levels."
    settle: Several
    "Levels of the last sweeps, without noise."
    entry: ShareAboveZero
    "A source takes part once its prior's error is below this part of its power."
    end: ShareAboveZero
    "The noise ends where every error is below this part."


@dataclass(frozen=True)
class Posterior:
    law: str
    "A file of audiopriors/posteriors: the law of each sample."
    objective: Literal["elbo", "elbo_annealed", "sleep"]
    "The evidence lower bound at one noise level, or falling to it; or -log q of the priors' own waves in their mixes."
    from_sigma: Positive = 4.0
    "Where the noise of elbo_annealed begins: above sigma, where the sources drown."
    mixture_width: Positive = 1.0
    "The width of p(mix | sources) over sigma."
    waves: Several = 192
    "sleep: waves kept of each prior; a third more are drawn (separation/encoder.py)."
