"""The smallest settings that have every part, of every family of priors, and priors with random weights."""

import math
from types import SimpleNamespace

import torch
from audiopriors.checkpoints import build_prior
from audiopriors.data import toy
from audiopriors.priors.base import Prior

FLOW = {
    "blocks": 3, "flows": 2, "layers": 2, "kernel_size": 3, "width": 6, "blocks_per_split": 1,
    "partition": "interleaved", "log_scale_bound": 3.0, "log_det_weight": 1.0,
    "sigma_min": 0.0, "sigma_max": 0.0,
}  # fmt: skip
WAVENET = {
    "variant": "causal", "input": "scalar", "noise_target": "clean", "blocks": 2, "layers": 3, "kernel_size": 2,
    "width": 4, "skip_width": 5, "head_width": 6,
}  # fmt: skip
SCORE = {
    "sigma_min": 0.01, "sigma_max": 4.0, "width": 6, "layers": 3, "masks": 2, "mask_width": 4, "mask_layers": 2,
    "ode_steps": 8, "likelihood_levels": 12, "altered": 0.2,
}  # fmt: skip
EMPHASISED = SCORE | {"exponent": 1.5, "corner": 0.05}
MUSIC = {
    "sigma_min": 0.01,
    "sigma_max": 4.0,
    "window": 32,
    "width": 2,
    "blocks": 1,
    "dense": 3,
    "colour": 0.75,
    "coloured_items": 0.5,
    "ode_steps": 8,
    "likelihood_levels": 12,
}
GLOW = {
    "representation": "mdct", "bins": 4, "blocks": 2, "flows": 1, "layers": 1, "width": 4, "log_scale_bound": 1.0,
}  # fmt: skip
EXACT = {"padding": 16, "phases": 64, "peaks": 16, "nodes": 256}
LAW = toy.Config("paper", 16000, 16384, "uniform", (27.5, 4186.0), (0.8, 1.0), False, 50, 8, 8)
CASES = {  # the smallest settings that have every part, and the sigmas at which they are tested
    "flowavenet": [
        (FLOW, 0.3),
        (FLOW | {"partition": "half"}, 0.3),
        (FLOW | {"blocks_per_split": 0}, 0.3),
        (FLOW | {"blocks_per_split": 2, "log_scale_bound": 0.0, "log_det_weight": 0.25}, 0.3),
        (FLOW | {"sigma_min": 0.01, "sigma_max": 2.0}, 0.3),
    ],
    "wavenet": [
        (WAVENET, 0.3),
        (WAVENET, 0.0),
        (WAVENET | {"kernel_size": 3, "blocks": 1}, 0.3),
        (WAVENET | {"input": "one_hot"}, 0.3),
        (WAVENET | {"noise_target": "noisy"}, 0.0),
    ],
    "score": [(SCORE, 0.3), (SCORE | {"masks": 1, "layers": 1}, 0.05)],
    "score_emphasised": [(EMPHASISED, 0.3)],
    "score_music": [(MUSIC, 0.3), (MUSIC | {"dense": 0}, 0.3)],
    "glow": [(GLOW, 0.3), (GLOW | {"bins": 8, "blocks": 1, "flows": 2, "width": 2}, 0.05)],
    "exact": [(EXACT, 0.3)],
    "autoregressive": [({"order": 3}, 0.3), ({"order": 1}, 0.0)],  # examples/prior
}


def prior_of(family, model, spread=0.3):
    """A prior with random weights, also where it starts at zero."""
    torch.manual_seed(1)
    prior = build_prior(family, model).double()
    if family == "exact":
        return prior.fit(SimpleNamespace(config=LAW), "triangle")
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter += spread * torch.randn_like(parameter)
    return prior.requires_grad_(False)


def waves(n, length):
    """Inputs within [-1, 1], where every family has a density."""
    return torch.randn(n, 1, length, generator=torch.Generator().manual_seed(0), dtype=torch.double).tanh()


class Gaussian(Prior):
    """N(0, (v + sigma^2) I)."""

    def __init__(self, variance):
        super().__init__()
        self.variance = variance

    def log_prob(self, x, sigma):
        total = self.variance + sigma**2
        return -0.5 * (x.double().square() / total + math.log(2 * math.pi * total)).sum((1, 2))

    def sample(self, n, length, sigma, generator):
        deviation = math.sqrt(self.variance + sigma**2)
        return deviation * torch.randn(n, 1, length, generator=generator, dtype=torch.float64)
