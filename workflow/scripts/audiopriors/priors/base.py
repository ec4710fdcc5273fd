"""The interface of a prior: the density p_sigma of one source's waves with Gaussian noise of deviation sigma.

A family is one file of this folder. It has a frozen dataclass `Config`, with a docstring under each field, and
`build(config) -> Prior`. Its name is the file's name. Nothing else lists it.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..audio.emphasis import Emphasis

# A waveform lies in [-1, 1]: a step that leads beyond this bound has diverged, and is not taken.
FAR = 100.0

# The deviation of the noise in x: one number, or, in training with the noise level as an input, one an item (B,).
Sigma = float | Tensor


class Model(nn.Module):
    """A network that is kept on disk (checkpoints.py)."""

    description: dict
    "How it was trained; a network that was not loaded has none."


class Trainable(Model):
    """A network that `training.train` can train."""

    loss_unit: str
    "The unit of `loss`, as in log lines."
    loss: Callable[..., Tensor]
    "The training objective (x, clean, sigma) -> scalar, see `Prior.loss`."
    initialise: Callable[..., None]
    "The initialisation from a batch (x, clean, sigma), before the first step."


class Prior(Trainable, abc.ABC):
    """The density p_sigma(x) of one source, where x = clean + sigma n, n ~ N(0, I).

    A family gives `log_prob`, `sample`, and either `loss`, if it is trained, or `fit`. Everything else follows from
    these; a family overrides a method where it knows better.

    x is (B, 1, T), in full scale [-1, 1] apart from the noise. Items do not see each other. A model trained at one
    noise level means that level, whatever the argument `sigma` is: its checkpoint's `description["sigma"]` is the
    level.
    """

    loss_unit = "nats/sample"

    has_colour = False
    "Whether samplers ask it in noise that is not white: `coloured` and `restore`."

    emphasis: Emphasis | None = None
    "The filter of the waves that a second denoiser takes, if the prior has one."

    restore_emphasised: Callable[..., Tensor]
    "That denoiser, (x, sigma) -> E[w | x] of x = w + sigma n, for waves w through the filter; each (B, 1, T)."

    takes_long_waves = False
    "Whether E[clean | x] depends on x nearby only, so that it serves waves longer than the frames of its training."

    draws_exactly = False
    "Whether `draw` draws from p(clean | x)."

    log_prob_is_dear = False
    "Whether log p takes many calls of a network, and its gradient one."

    has_latents = False
    "Whether the prior is a flow whose `transform` gives latents over time."

    transform: Callable[..., tuple[list[Tensor], Tensor, Tensor]]
    "If so, (x, sigma) -> latents, (B, C, T') each, their log-density and the log-determinant."

    @property
    def noise_range(self) -> tuple[float, float] | None:
        """The smallest and the largest sigma of a model that serves all noise levels; None: no such range is known."""
        return None

    # Each family defines these.

    @abc.abstractmethod
    def log_prob(self, x: Tensor, sigma: float) -> Tensor:
        """log p_sigma(x) in nats, summed over time, differentiable in x. Shape: (B, 1, T) -> (B,) float64.

        Raises
        ------
        UserError: the model is no density, or has none at this sigma.
        """

    @abc.abstractmethod
    def sample(self, n: int, length: int, sigma: float, generator: torch.Generator) -> Tensor:
        """n draws (n, 1, length) from p_sigma. The generator is a CPU one, so a seed means the same on every device.

        Raises
        ------
        UserError: the model cannot be sampled.
        """

    def loss(self, x: Tensor, clean: Tensor, sigma: Sigma) -> Tensor:
        """The training objective in `loss_unit`, a scalar; lower is better. x is clean plus noise, each (B, 1, T)."""
        raise NotImplementedError(f"{type(self).__name__} is not trained")

    def fit(self, data, source: str) -> Prior:
        """Instead of a training, take the law of a source from a data set (data/base.py). Returns itself.

        Raises
        ------
        UserError: the data have no law that this prior can take.
        """
        raise NotImplementedError(f"{type(self).__name__} is trained")

    # These follow.

    def initialise(self, x: Tensor, clean: Tensor, sigma: Sigma) -> None:
        """Set what depends on data, once, before training: nothing. x is clean with noise, each (B, 1, T)."""

    def measures(self, x: Tensor, sigma: float) -> dict[str, Tensor]:
        """Every kind of log-likelihood of x (B, 1, T), by name, each (B,) float64 in nats: here `log_prob`."""
        return {"log_prob": self.log_prob(x, sigma)}

    def detectors(self, x: Tensor, sigma: float) -> dict[str, Tensor]:
        """What tells items of the source from others beside likelihoods, of x (B, 1, T), each (B,) float64: nothing.

        Score priors give their local dimension and norms along the path to noise (diffusion.py).
        """
        return {}

    def score(self, x: Tensor, sigma: float) -> Tensor:
        """The score grad log p_sigma(x), by autograd; no gradient flows through it. Shape: (B, 1, T) -> (B, 1, T)."""
        return self.log_prob_and_score(x, sigma)[1]

    def log_prob_and_score(self, x: Tensor, sigma: float, *, need_log_prob: bool = True) -> tuple[Tensor, Tensor]:
        """log p_sigma(x) in nats and its gradient in x. Shape: (B, 1, T) -> (B,), (B, 1, T).

        need_log_prob: if False, a family whose log p is costly gives NaN for it.
        """
        with torch.enable_grad():
            x = x.detach().requires_grad_(True)
            log_prob = self.log_prob(x, sigma)
            (gradient,) = torch.autograd.grad(log_prob.sum(), x)
        return log_prob.detach(), gradient

    def denoise(self, x: Tensor, sigma: float) -> Tensor:
        """E[clean | x] = x + sigma^2 grad log p_sigma(x) (Tweedie's formula; Efron, 2011). (B, 1, T) -> (B, 1, T).

        A sample that this moves beyond `FAR` stays as it is, as a gradient that explodes is of no use.
        """
        return tweedie(x, self.score(x, sigma), sigma)

    def coloured(self, white: Tensor) -> Tensor:
        """The noise in which samplers ask this prior, from white noise: here the same. Shape: (..., T) -> (..., T)."""
        return white

    def restore(self, x: Tensor, sigma: float) -> Tensor:
        """E[clean | x] of x = clean + sigma coloured(n), n ~ N(0, I), as samplers ask it. (B, 1, T) -> (B, 1, T).

        Here this noise is white, so it is `denoise`.
        """
        return self.denoise(x, sigma)

    def draw(self, x: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
        """A draw from p(clean | x), of a prior that `draws_exactly`. Shape: (B, 1, T) -> (B, 1, T)."""
        raise NotImplementedError(f"{type(self).__name__} has no exact draws")

    def waves(self, n: int, length: int, sigma: float, generator: torch.Generator) -> Tensor:
        """n clean waves (n, 1, length) of the source, to train other models on: draws from p_sigma, denoised.

        Raises
        ------
        UserError: the model cannot be sampled.
        """
        return self.denoise(self.sample(n, length, sigma, generator), sigma).detach()

    def log_prob_map(self, x: Tensor, sigma: float) -> Tensor:
        """log p_sigma(x) in nats, split over time: it adds up to `log_prob`. No gradient. (B, 1, T) -> (B, T) float64.

        It is log N(x_t; D_t, sigma^2) with D = E[clean | x], plus what remains of log p, the same at every t: the cost
        of the number of possible waves belongs to no time. At sigma = 0 there is no such D, and all of log p remains. A
        family whose log p is itself a sum over time gives that sum's terms.

        Raises
        ------
        UserError: the model is no density, or has none at this sigma.
        """
        if sigma == 0:
            with torch.no_grad():
                return spread(self.log_prob(x, sigma), x.new_zeros(x.shape[0], x.shape[2], dtype=torch.float64))
        log_prob, score = self.log_prob_and_score(x, sigma)
        residual = (x - tweedie(x, score, sigma))[:, 0].double() / sigma
        return spread(log_prob, -0.5 * residual.square() - math.log(sigma) - 0.5 * math.log(2 * math.pi))

    def judged(self, x: Tensor, sigma: float) -> Tensor:
        """`denoise`, but far from any wave of the source where the prior sees none in x; here it always sees one."""
        return self.denoise(x, sigma)


def spread(total: Tensor, terms: Tensor) -> Tensor:
    """The terms, with what they lack of the total added evenly. Shape: (B,), (B, T) -> (B, T)."""
    return terms + ((total - terms.sum(1)) / terms.shape[1])[:, None]


def tweedie(x: Tensor, score: Tensor, sigma: Sigma) -> Tensor:
    """x + sigma^2 score, but x where that is beyond `FAR`. Shape: (..., T) -> (..., T). sigma: one number, or (B,)."""
    variance = sigma[:, None, None] ** 2 if isinstance(sigma, Tensor) else sigma**2
    denoised = x + variance * score
    return torch.where(denoised.abs() < FAR, denoised, x)
