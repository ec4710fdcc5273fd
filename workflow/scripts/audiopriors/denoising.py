"""How well a prior denoises its own source: estimates of s from x = s + sigma n, n ~ N(0, I).

There are three kinds of estimates:

- `tweedie`: E[s | x] by one step of Tweedie's formula, `Prior.denoise`. For a score prior this is its denoiser.
- the name of a posterior model: the mean of a model trained on this source in this noise (separation/encoder.py).
- `langevin`: the mean of a Langevin chain under a prior of the next smaller noise level. It is for priors that serve
  one level only. So a model also denoises data with a noise level that it was not trained at.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from .data.base import Frames
from .likelihood import batches, test_noise
from .metrics import si_sdr
from .priors.base import Prior, tweedie
from .seeds import torch_generator
from .settings import Evaluation

NONE = pd.DataFrame({
    **{name: pd.Series(dtype=str) for name in ("prior_sigma", "data_sigma", "estimate")}, "item": pd.Series(dtype=int),
    "track": pd.Series(dtype=str), **{name: pd.Series(dtype=float) for name in ("error", "si_sdr", "si_sdr_noisy")},
})  # fmt: skip
"An empty table with the columns of `evaluate`."


def langevin(
    prior: Prior, x: Tensor, sigma: float, *, smaller: float, steps: int, step_size: float, generator: torch.Generator
) -> Tensor:
    """E[s | x] of x = s + sigma n under p of the noise level `smaller` < sigma. Shape: (B, 1, T) -> (B, 1, T).

    The chain begins at x (thesis, "De-noising single signals") and samples u = s + smaller n' given x,

        p(u | x) ~ p_smaller(u) N(x; u, (sigma^2 - smaller^2) I),

    which for smaller -> 0 is p(s) N(x; s, sigma^2 I). x depends on s through u only, so E[s | x] = E[D(u) | x], with
    D(u) = E[s | u] by Tweedie's formula. The estimate is the mean of D(u) over the second half of the steps.

    With D held fixed during a step the dynamics are linear. The step is then drawn from their law after the time
    step_size / (1 / smaller^2 + 1 / (sigma^2 - smaller^2)). A step is exact where D is constant. Where D changes with
    u, the law is approximate; for a Gaussian prior, its mean is right at any step size.
    """
    pull, trust = 1 / smaller**2, 1 / (sigma**2 - smaller**2)
    kept = math.exp(-step_size)
    spread = ((1 - kept**2) / (pull + trust)) ** 0.5
    state, estimates = x, []
    for _ in range(steps):
        _, score = prior.log_prob_and_score(state, smaller, need_log_prob=False)
        estimates.append(tweedie(state, score, smaller))
        middle = (pull * estimates[-1] + trust * x) / (pull + trust)
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x.device)
        state = middle + kept * (state - middle) + spread * noise
    return torch.stack(estimates[steps // 2 :]).mean(0)


def evaluate(
    prior: Prior, data: Frames, *, source: str, sigma: str, sigmas: list[str], frame: int, evaluation: Evaluation,
    seed: tuple, device,
) -> pd.DataFrame:  # fmt: skip
    """The errors of all estimates by a prior of level `sigma`, on test items of its source.

    sigmas: the data's noise levels above 0, ascending. evaluation.denoised adds more levels.

    Returns rows with the columns of NONE: error is the mean square of estimate - s. si_sdr is the estimate's SI-SDR and
    si_sdr_noisy that of x, both in dB. A noise-free model has no rows, as Tweedie's formula needs noise.
    """
    rows = []
    for estimate, level in _estimates(sigma, sigmas, evaluation.denoised):
        generator = torch_generator(*seed, "langevin", source, sigma, level)

        def denoise(x: Tensor, estimate=estimate, level=level, generator=generator) -> Tensor:
            if estimate == "tweedie":
                return prior.denoise(x, float(level))
            return langevin(prior, x, float(level), smaller=float(sigma), steps=evaluation.denoising_steps,
                            step_size=evaluation.denoising_step_size, generator=generator)  # fmt: skip

        rows.append(errors(
            denoise, data, source=source, level=level, frame=frame, evaluation=evaluation, seed=seed, device=device,
            prior_sigma=sigma, estimate=estimate,
        ))  # fmt: skip
    return pd.concat([NONE, *rows], ignore_index=True)


def errors(
    denoise: Callable[[Tensor], Tensor], data: Frames, *, source: str, level: str, frame: int, evaluation: Evaluation,
    seed: tuple, device, **labels: str,
) -> pd.DataFrame:  # fmt: skip
    """The errors of one estimate: `denoise` (B, 1, T) -> (B, 1, T) is applied to test items with noise of a level.

    Returns rows as in `evaluate`. For the same seed, items and noise are the same for every `denoise`. labels: the
    columns prior_sigma and estimate.
    """
    items = torch.arange(min(evaluation.denoised_items, data.count("test")))
    clean, tracks = data.frames("test", source, items, frame), np.array(data.tracks("test")[: len(items)])
    noisy = test_noise(clean, level, *seed, "denoise", source)
    with torch.no_grad():
        estimated = torch.cat([denoise(x.to(device)).cpu() for x in batches(noisy, evaluation.batch_samples)])
    rows = pd.DataFrame({
        **labels, "data_sigma": level, "item": items.numpy(), "track": tracks,
        "error": (estimated - clean).double().square().mean((1, 2)).numpy(),
        "si_sdr": si_sdr(estimated, clean)[:, 0].numpy(), "si_sdr_noisy": si_sdr(noisy, clean)[:, 0].numpy(),
    })  # fmt: skip
    return rows[NONE.columns]


def _estimates(sigma: str, sigmas: list[str], others: list[str]) -> list[tuple[str, str]]:
    """The names of a prior's estimates, each with the data's noise level that it denoises. sigma: the prior's level."""
    levels = sorted({*sigmas, *others}, key=float)
    if sigma == "all":
        return [("tweedie", level) for level in levels]
    if sigma == "0":
        return []
    smaller = {level: max((s for s in sigmas if float(s) < float(level)), key=float, default=None) for level in levels}
    return [("tweedie", sigma), *(("langevin", level) for level in levels if smaller[level] == sigma)]
