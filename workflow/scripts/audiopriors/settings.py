"""Settings of trainings and evaluations. The config's schema is read from these classes (see registry.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .types import Count, NonNegative, Positive, Several, Share, ShareAboveZero, ShareBelowOne


@dataclass(frozen=True)
class Training:
    """Settings of a training."""

    steps: Count
    "Number of gradient steps."
    batch: Count
    "Frames in each step's batch."
    frame: Count
    "Samples of a frame; taken from the data set."
    learning_rate: Positive
    "Adam's learning rate at the start."
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
    "Decay of the weights' moving average, which is kept instead of the last weights; 0: keep the last ones."
    noise: Literal["fixed", "uniform_up_to", "log_uniform", "falling"]
    "Its deviation: sigma; per item U(0, sigma) (authors' code) or log-uniform in a range; or falling through a range."
    precision: Literal["float32", "bfloat16"]
    "Precision of the factors of products in training (precision.py); weights, sums and all measures are float32."
    initialise_items: Several
    "Frames for the data-dependent initialisation."
    validation_items: Count
    "Frames for the held-out loss."
    log_points: Count
    "Rows of the loss table."
    save_seconds: NonNegative
    "Time between two saved states; does not change the result."
    preferred: Share = 0.0
    "With log_uniform noise, the share of items whose level is at least `preferred_from`; 0: no level is preferred."
    preferred_from: NonNegative = 0.0
    "Samplers of music use the levels above; likelihoods need those below, too."


@dataclass(frozen=True)
class Jointly:
    """Settings of priors that are trained together (joint.py)."""

    starts_from: str
    "The prior of the config from whose models of the same noise level the training starts."
    objective: Literal["softmax", "classifier"]
    "What classifies: the priors' own log-likelihoods, or a classifier on each prior's latents (authors' code)."
    weight: NonNegative
    "Weight of the true source's log-probability, in nats, against the likelihoods."
    temperature: Positive
    "The logits are divided by this temperature."


@dataclass(frozen=True)
class Evaluation:
    """Settings of the evaluation of priors."""

    test_items: Several
    "Test items of each source in every table."
    input_items: Several
    "Items where only a mean is needed: mixes, Gaussian inputs, in-class items with another noise than the prior's."
    constants: list[float]
    "Constant inputs."
    normals: list[Positive]
    "Standard deviations of Gaussian inputs; the entropy gate uses them, too."
    peakedness: list[str]
    "Noise levels added to in-class items, beside `sigmas`; a level that is in both is measured once."
    gradient_items: Count
    "Items for the mean squared norm of the gradient."
    denoised: list[str]
    "Noise levels at which test items are denoised, beside `sigmas`."
    denoised_items: Several
    "Test items that are denoised at each noise level."
    denoising_steps: Several
    "Steps of the Langevin dynamics that denoise (denoising.py); the second half of them is averaged."
    denoising_step_size: Positive
    "Time of such a step, relative to the time in which the noise forgets where it began."
    batch_samples: Count
    "Samples (items x frame) that a prior takes at once; this bounds the memory."


@dataclass(frozen=True)
class ErrorCurve:
    """How a prior's error curve is measured (separation/schedules.py)."""

    items: Several
    "Validation items."
    levels: Several
    "Noise levels, evenly spaced in their logarithm."
    range: tuple[Positive, Positive]
    "The lowest and the highest level."


@dataclass(frozen=True)
class Plan:
    """How a sampler's noise levels are planned (separation/schedules.py)."""

    levels: Several
    "Noise levels."
    settle: Several
    "Levels of the last sweeps, without noise."
    entry: ShareAboveZero
    "A source takes part once its prior's error is below this share of its power."
    end: ShareAboveZero
    "The noise ends where every error is below this share."


@dataclass(frozen=True)
class Tempering:
    """Settings of the exact posterior (fidelity/tempering.py)."""

    ensembles: Several
    "Independent runs, whose difference shows the error."
    chains: Several
    "Chains at each noise level; an even number from 6 on."
    levels: Several
    "Noise levels."
    top: Positive
    "The highest noise level at T = 128; it grows with sqrt(T). There the sources drown."
    burn_in: Count
    "Steps that are not kept."
    steps: Count
    "Steps in all."
    draws: Several
    "Draws kept of each ensemble, for each mix."


@dataclass(frozen=True)
class Fidelity:
    """How samplers are compared with the exact posterior (fidelity/measures.py)."""

    items: Several
    "Test mixes of each kind."
    particles: Count
    "Particles for each mix; one more is a multiple of 40, so that ranks have regions of 50 % and 95 %."
    together: Count
    "Mixes that are sampled at once; this bounds the memory."
    replicates: Several
    "How often exact draws take the place of particles, to show what each measure is at its best."
    error: Positive
    "The largest error of an exact posterior, in its deviations (see tempering.py): above, its mix is refused."


@dataclass(frozen=True)
class Posterior:
    """Settings of a posterior model (separation/encoder.py)."""

    law: str
    "A file of audiopriors/posteriors: the law of each sample."
    objective: Literal["elbo", "elbo_annealed", "sleep"]
    "The evidence lower bound at one noise level or at one that falls to it; or -log q of waves drawn from the priors."
    from_sigma: Positive = 4.0
    "The noise level where elbo_annealed begins: above sigma, where the sources drown."
    mixture_width: Positive = 1.0
    "The width of p(mix | sources) over sigma."
    waves: Several = 192
    "sleep: waves kept of each prior; a third more are drawn (separation/encoder.py)."
