"""Priors of a data set that are trained together, so that they also tell each other's items apart (thesis, Fig. 16).

    L = - sum_k log p_k(x_k) - weight sum_k log c_k(x_k),    x_k an item of source k with noise

where c is a classifier; with several classifiers, the mean of log c_k is taken.

With objective `softmax` the priors themselves classify: c_k = softmax_j(log p_j / tau)_k. The logits differ by the
ratios that separation needs. This is a hybrid of a generative and a discriminative model (Lasserre et al., 2006).

With objective `classifier`, as in the thesis's code, each prior has a classifier on its latents. The classifier is
thrown away after the training, so only the latents learn from it. Either way each p_k stays a density.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .errors import UserError
from .layers import Modules, zero
from .priors.base import Prior, Trainable


class LatentClassifier(nn.Module):
    """A classifier that gives logits (B, sources) of an item's source from a flow's latents, a list of (B, C, T').

    It has two convolutions and a mean over time for each latent; the last layer starts at zero.
    """

    def __init__(self, channels: list[int], sources: int, width: int = 32):
        super().__init__()
        self.parts = Modules(
            nn.Sequential(
                nn.Conv1d(count, width, 3, padding=1), nn.ReLU(), nn.Conv1d(width, width, 3, padding=1), nn.ReLU()
            )
            for count in channels
        )  # fmt: skip
        self.last = nn.Linear(width * len(channels), sources)
        zero(self.last)

    def forward(self, latents: list[Tensor]) -> Tensor:
        """The logits (B, sources) of the latents."""
        pooled = [part(latent).mean(2) for part, latent in zip(self.parts, latents, strict=True)]
        return self.last(torch.cat(pooled, 1))


class JointPriors(Trainable):
    """The priors of N sources as one model for `training.train`. Its items are (B, N, T), one of each source.

    objective, weight, temperature: see above and settings.Jointly. frame: T.

    Raises
    ------
    UserError: the objective is `classifier`, but the priors have no latents.
    """

    loss_unit = "nats/sample"

    def __init__(self, priors: list[Prior], objective: str, weight: float, temperature: float, frame: int):
        super().__init__()
        self.priors = Modules(priors)
        self.weight, self.temperature = weight, temperature
        self.classifiers: Modules[LatentClassifier] | None = None
        if objective == "classifier":
            if not all(prior.has_latents for prior in priors):
                raise UserError("objective classifier is for priors with latents; these have none")
            with torch.no_grad():
                latents = priors[0].transform(next(priors[0].parameters()).new_zeros(1, 1, frame), 0.0)[0]
            channels = [latent.shape[1] for latent in latents]
            self.classifiers = Modules(LatentClassifier(channels, len(priors)) for _ in priors)

    def loss(self, x: Tensor, clean: Tensor, sigma: float) -> Tensor:
        """The mean over items of L / N / T in nats/sample, a scalar. x (B, N, T) has the noise; `clean` is unused."""
        batch, sources, length = x.shape
        items = x.transpose(0, 1).reshape(batch * sources, 1, length)  # sorted by source
        truth = torch.arange(sources, device=x.device).repeat_interleave(batch)
        log_prob, logits = self._classified(items, truth, sigma)
        cross_entropy = functional.cross_entropy(logits.flatten(0, 1) / self.temperature, truth.repeat(len(logits)))
        return (self.weight * cross_entropy - log_prob.mean()) / length

    def _classified(self, items: Tensor, truth: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        """log p_k(x_k) in nats (n,), and the logits (classifiers, n, N) of the sources of items (n, 1, T)."""
        if self.classifiers is None:
            log_prob = torch.stack([prior.log_prob(items, sigma) for prior in self.priors], 1)
            return log_prob.gather(1, truth[:, None])[:, 0], log_prob[None]
        own, logits = [], []
        for source, (prior, classifier) in enumerate(zip(self.priors, self.classifiers, strict=True)):
            latents, latent_log_prob, log_det = prior.transform(items, sigma)
            own.append((latent_log_prob + log_det)[truth == source])
            logits.append(classifier(latents).double())
        return torch.cat(own), torch.stack(logits)
