"""Measures of every test input under one prior, as tidy rows; the entropy gate stops what cannot be a density."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import soundfile
import torch
from torch import Tensor

from .data.base import Frames
from .errors import UserError
from .priors.base import Prior
from .seeds import torch_generator
from .settings import Evaluation

GATE = 20.0  # nats in total; a correct density exceeds it with probability exp(-20) = 2e-9 (Markov's inequality)


class EntropyViolation(UserError):
    """A supposed density gives Gaussian noise more probability than any density can."""


def batches(x: Tensor, batch_samples: int) -> Iterator[Tensor]:
    """x (n, 1, T) in pieces of at most `batch_samples` samples, at least one item each: this bounds the memory."""
    return iter(x.split(max(1, batch_samples // x.shape[-1])))


def measure(prior: Prior, x: Tensor, sigma: float, batch_samples: int, device) -> dict[str, np.ndarray]:
    """Every measure of x (n, 1, T) under p_sigma, by name, each (n,) float64 in nats."""
    return _batched(prior.measures, x, sigma, batch_samples, device)


def _batched(
    of_batch: Callable[[Tensor, float], dict[str, Tensor]], x: Tensor, sigma: float, batch_samples: int, device
) -> dict[str, np.ndarray]:
    """What `of_batch` gives of x (n, 1, T), computed in pieces, each (n,) float64."""
    with torch.no_grad():
        parts = [of_batch(batch.to(device), sigma) for batch in batches(x, batch_samples)]
    return {name: torch.cat([part[name] for part in parts]).cpu().numpy() for name in parts[0]}


def test_noise(clean: Tensor, sigma: str, *purpose) -> Tensor:
    """clean (n, 1, T) plus N(0, sigma^2) noise, the same for every prior: priors are compared on the same items."""
    return with_noise(clean, sigma, torch_generator(*purpose, sigma))


def with_noise(clean: Tensor, sigma: str, generator: torch.Generator) -> Tensor:
    """clean (n, 1, T) plus N(0, sigma^2) noise."""
    return clean + float(sigma) * torch.randn(clean.shape, generator=generator) if float(sigma) else clean


def flac_nats(x: Tensor) -> np.ndarray:
    """Minus the log-density of x (n, 1, T) under the lossless coder FLAC, in nats: a complexity (n,).

    A coder with b bits for 16-bit samples is the density 2^-b / Delta^T, Delta = 2^-15 (Serra et al., 2020, use b).
    """

    def size(wave: np.ndarray) -> int:
        buffer = io.BytesIO()
        soundfile.write(buffer, wave, 16000, format="FLAC", subtype="PCM_16")
        return buffer.getbuffer().nbytes

    header = size(np.zeros(1, np.float32))
    bits = [8 * (size(wave) - header) for wave in x[:, 0].clamp(-1, 1).numpy()]
    return np.array(bits) * math.log(2) - x.shape[2] * 15 * math.log(2)


def evaluate(
    prior: Prior, data: Frames, *, name: str, source: str, sigma: str, sources: list[str], sigmas: list[str],
    frame: int, evaluation: Evaluation, seed: tuple, device,
) -> pd.DataFrame:  # fmt: skip
    """All measures of one prior on every test input, as rows.

    The columns are prior_sigma, split, test_source, data_sigma, measure, item, track and value. value is in nats,
    summed over the frame. track is a test item's track, and empty for other inputs. test_source is a source, `mix`,
    `constant_c` or `normal_s`. Rows of split `validation` are in-class items at the prior's own sigma; they give the
    typical value, and no table shows them.

    Measure `gradient_norm_squared` is the squared norm of grad log p_sigma(x), for in-class items at the prior's own
    sigma. `complexity_corrected` is log p(x) - log p_FLAC(x), where data_sigma is 0 or the prior's own. Where sources
    are compared, there is also what the prior gives for detection (`Prior.detectors`).

    A prior of sigma "all" is evaluated at each data sigma by p_sigma of that sigma: these rows have prior_sigma "all".
    Rows of another data sigma (inputs, in-class items with other noise) have the sigma of p_sigma.

    Raises
    ------
    EntropyViolation: for some q = N(0, s^2 I), the sum over items x ~ q of log p(x) - log q(x) is above 20 nats.
    """
    one_for_all = sigma == "all"
    levels = ["0", *sigmas]
    own_levels = list(dict.fromkeys([*levels, *evaluation.peakedness]))  # each once: sigmas may be in peakedness
    items = torch.arange(min(evaluation.test_items, data.count("test")))
    clean = {test: data.frames("test", test, items, frame) for test in sources}
    clean["mix"] = data.mixture("test", sources, items, frame)
    tracks = np.array(data.tracks("test")[: len(items)])
    inputs = min(evaluation.input_items, len(items))
    held_out = data.frames(
        "validation", source, torch.arange(min(evaluation.test_items, data.count("validation"))), frame
    )
    rows = []
    prior.to(device)
    for level in sigmas if one_for_all else [sigma]:

        def add(split: str, test: str, data_sigma: str, measures: dict[str, np.ndarray], level=level) -> None:
            of_all = one_for_all and data_sigma == level
            for kind, values in measures.items():
                rows.append(
                    pd.DataFrame(
                        {"prior_sigma": sigma if of_all else level, "split": split, "test_source": test,
                         "data_sigma": data_sigma, "measure": kind, "item": np.arange(len(values)),
                         "track": tracks[: len(values)] if split == "test" and test in clean else "", "value": values}
                    )
                )  # fmt: skip

        def measures_of(x: Tensor, data_sigma: str, level=level) -> dict[str, np.ndarray]:
            measures = measure(prior, x, float(level), evaluation.batch_samples, device)
            if "log_prob" in measures and data_sigma in ("0", level):
                measures["complexity_corrected"] = measures["log_prob"] + flac_nats(x)
            return measures

        def detectors_of(x: Tensor, level=level) -> dict[str, np.ndarray]:
            return _batched(prior.detectors, x, float(level), evaluation.batch_samples, device)

        for test, x in clean.items():
            in_class = test == source
            shown = own_levels if in_class else [level] if one_for_all else levels
            for data_sigma in shown:
                noisy = test_noise(x, data_sigma, *seed, "test", test)
                # Detection compares whole splits; where only a mean is needed, fewer items do.
                compared = test != "mix" and (data_sigma == level or (data_sigma in levels and not one_for_all))
                add("test", test, data_sigma, measures_of(noisy if compared else noisy[:inputs], data_sigma))
                if compared:
                    add("test", test, data_sigma, detectors_of(noisy))
        noisy = test_noise(held_out, level, *seed, "validation", source)
        add("validation", source, level, measure(prior, noisy, float(level), evaluation.batch_samples, device))
        add("validation", source, level, detectors_of(noisy))

        for value in evaluation.constants:
            add("test", f"constant_{value:g}", "0", measures_of(torch.full((1, 1, frame), float(value)), "0"))
        for deviation in evaluation.normals:
            test = f"normal_{deviation:g}"
            x = deviation * torch.randn(inputs, 1, frame, generator=torch_generator(*seed, "test", test))
            measures = measures_of(x, "0")
            if "log_prob" in measures:
                what = f"prior {name}, {source}, sigma {level}"
                entropy_gate(measures["log_prob"], x, deviation, what)
            add("test", test, "0", measures)

        if any(row["measure"].iloc[0] == "log_prob" for row in rows):
            own = test_noise(clean[source], level, *seed, "test", source)[: evaluation.gradient_items]
            norms = [
                prior.score(batch.to(device), float(level)).double().square().sum((1, 2)).cpu().numpy()
                for batch in batches(own, evaluation.batch_samples)
            ]
            add("test", source, level, {"gradient_norm_squared": np.concatenate(norms)})
    return pd.concat(rows, ignore_index=True)


def mapped(data: Frames, sources: list[str], frame: int) -> Tensor:
    """The waves (N + 1, 1, T) whose likelihood is split over time: each source's first test item, and their mix."""
    first = torch.tensor([0])
    waves = [data.frames("test", source, first, frame) for source in sources]
    return torch.cat([*waves, data.mixture("test", sources, first, frame)])


def maps(prior: Prior, x: Tensor, sigma: float, batch_samples: int, device) -> np.ndarray:
    """log p_sigma of x (n, 1, T) split over time, (n, T) float32 in nats."""
    parts = [prior.log_prob_map(batch.to(device), sigma).float().cpu() for batch in batches(x, batch_samples)]
    return torch.cat(parts).numpy()


def binned(values: np.ndarray, bins: int) -> np.ndarray:
    """The means of neighbours, so that at most `bins` values are left. Shape: (..., T) -> (..., min(bins, T))."""
    edges = np.linspace(0, values.shape[-1], min(bins, values.shape[-1]) + 1).astype(int)
    return np.add.reduceat(values, edges[:-1], axis=-1) / np.diff(edges)


def scored_items(
    evaluation: Evaluation, levels: list[str], sigmas: list[str], sources: int, test_items: int, validation_items: int
) -> int:
    """The number of items that `evaluate` measures for a source's priors at `levels`, gradients apart; for a forecast.

    sigmas: the data's noise levels above 0. test_items, validation_items: the number of items in the data set.
    """
    one_for_all = levels == ["all"]
    compared = min(evaluation.test_items, test_items)
    inputs = min(evaluation.input_items, compared)
    own = 1 if one_for_all else len(sigmas) + 1
    mix = own
    other_levels = len(set(evaluation.peakedness) - set(sigmas)) + (len(sigmas) if one_for_all else 0)
    few = mix + other_levels + len(evaluation.normals)
    measured = sources * own * compared + few * inputs + len(evaluation.constants)
    measured += min(evaluation.test_items, validation_items)
    return measured * (len(sigmas) if one_for_all else len(levels))


def entropy_gate(log_prob: np.ndarray, x: Tensor, deviation: float, what: str) -> None:
    """Stop if sum_i log p(x_i) - log q(x_i) > 20 nats for x_i ~ q = N(0, deviation^2 I); x (n, 1, T).

    For any density p, E[prod p(x_i) / q(x_i)] <= 1. This holds for `log_prob` only, not for latent likelihoods.
    """
    log_q = -0.5 * (x.double() / deviation).square().sum((1, 2)).numpy()
    log_q -= x.shape[2] * (math.log(deviation) + 0.5 * math.log(2 * math.pi))
    excess = float(np.sum(log_prob - log_q))
    if not excess <= GATE:  # also if it is NaN
        raise EntropyViolation(
            f"{what}: not a density, it gives N(0, {deviation:g}^2) noise {excess:.1f} nats more than its own law does "
            f"(at most {GATE:g} can be chance): its log_prob is wrong, do not use it"
        )
