"""The exact posterior of test mixes, and the particles of a sampler compared with it, as rows."""

from __future__ import annotations

import logging
import time

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ..data.base import Frames
from ..errors import UserError
from ..lattice import Law
from ..priors.exact import Exact
from ..seeds import torch_generator
from ..separation import running as separation
from ..separation.methods.base import Sampler
from ..separation.scaled import Scaled
from ..settings import Fidelity, Tempering
from . import measures, tempering

log = logging.getLogger(__name__)

EXACT = "exact_posterior"
"The name of exact draws in the column `method`."


class Unresolved(UserError):
    """The exact posterior is not as exact as is asked for."""


def problem_of(
    data: Frames, mix: dict, items: int, frame: int, priors: dict[tuple[str, str], Exact]
) -> tuple[tempering.Problem, list[Exact], Tensor, Tensor]:
    """The test mixes, the exact prior of each source, the true waves (N, B, T) float64 and the items' numbers (B,).

    mix: its name, sources, gains, noise, ... (see the config's schema). priors: from separation.running.priors_of.

    Raises
    ------
    UserError: no test item is left.
    """
    truth, total, numbers = separation.mixes(data, mix, items, frame)
    exact = [priors[source, "all"] for source in mix["sources"]]
    laws: list[Law] = [prior.law for prior in exact]
    problem = tempering.Problem(total[:, 0].double(), laws, mix["gains"], mix["noise"])
    return problem, exact, truth[:, :, 0].double(), numbers


def exact_posterior(
    problem: tempering.Problem, mix: dict, settings: Tempering, most_error: float, seed: tuple
) -> tuple[Tensor, np.ndarray]:
    """Draws from the exact posterior, (B, n, N, 3) float64 in [0, 1], and the error of each mix (B,).

    The error is that of `measures.error`, of each source's parameters and of the residual.

    Raises
    ------
    Unresolved: the mean of the errors is above `most_error`.
    """
    begun = time.monotonic()

    def watch(step: int, steps: int) -> None:
        left = (time.monotonic() - begun) * (steps - step) / max(step, 1)
        log.info("step %d of %d, %.0f s left", step, steps, left)

    draws = tempering.draws(problem, settings, torch_generator(*seed), watch).transpose(0, 1).flatten(1, 2)
    drawn = measures.of_parameters(problem, draws)
    quantities = measures.quantities(drawn, measures.centres(drawn))
    errors = measures.error(quantities.unflatten(2, (settings.ensembles, -1))).numpy()
    if not errors.mean() <= most_error:
        raise Unresolved(
            f"mix {mix['name']}: its exact posterior is not resolved: independent runs, or the halves of these, differ "
            f"by {errors.mean():.2f} of its deviation, and `compare.error` allows {most_error:g}; raise `burn_in`, "
            "`steps` or `levels` of the data set's `fidelity.tempering`, or give the mix more noise"
        )
    return draws, errors


def of_exact_draws(
    problem: tempering.Problem, priors: list[Exact], shares: Tensor, truth: Tensor, fidelity: Fidelity, seed: tuple
) -> pd.DataFrame:
    """What each measure is for exact draws in place of particles, as rows of item, replicate and measures.

    shares: from `exact_posterior`. truth: waves (N, B, T); the columns truth_50 and truth_95 say whether the true
    parameters are in regions of the draws.
    """
    exact, generator = measures.of_parameters(problem, shares), torch_generator(*seed)
    groups = measures.explanations(exact.waves)
    scaled = _scaled(priors, problem)
    pool = measures.stein_points(problem, scaled, exact.waves[:, :, :: max(1, shares.shape[1] // 128)], generator)
    true = measures.of_waves(problem, priors, truth[:, :, None], generator)
    rows = []
    for replicate in range(fidelity.replicates):
        order = torch.randperm(shares.shape[1], generator=generator)
        particles, rest = exact.some(order[: fidelity.particles]), exact.some(order[fidelity.particles :])
        values = measures.compared(particles, rest, groups)
        places = torch.randperm(pool.points.shape[1], generator=generator)[: fidelity.particles]
        values["stein"] = measures.stein_discrepancy(pool.some(places)).numpy()
        centre = measures.centres(exact)
        at = measures.ranks(measures.quantities(particles, centre), measures.quantities(true, centre))
        values |= {f"truth_{level:.0f}": measures.coverage(at, level / 100).numpy() for level in (50, 95)}
        rows.append(pd.DataFrame({"item": np.arange(len(shares)), "replicate": replicate, **values}))
    return pd.concat(rows, ignore_index=True)


def of_sampler(
    problem: tempering.Problem, priors: list[Exact], shares: Tensor, sampler: Sampler, fidelity: Fidelity, seed: tuple
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The measures of a sampler's particles, and the particles' parameters, as rows.

    shares: exact draws of these mixes, (B, n, N, 3). The first rows have item and measures, the second are those of
    `parameter_rows`.
    """
    generator, mix = torch_generator(*seed), problem.mix[:, None].float()
    parts, begun = [], time.monotonic()
    for place, some in enumerate(mix.split(fidelity.together)):
        parts.append(sampler.all_particles(some, generator, fidelity.particles))
        done = min((place + 1) * fidelity.together, len(mix))
        left = (time.monotonic() - begun) / done * (len(mix) - done)
        log.info("%d of %d mixes, %.0f s left", done, len(mix), left)
    log.info("sampled in %.2f s", time.monotonic() - begun)  # the program `costs` reads it
    waves = torch.cat(parts, 1)[:, :, :, 0].double()
    if (waves.amax(2) - waves.amin(2)).amax() < 1e-6:
        raise UserError(
            f"the sampler {sampler.method['sampler']} has no spread: all {fidelity.particles} particles of a mix are "
            "the same; it is an estimator, which the table `separation` judges"
        )
    waves = waves.nan_to_num(0.0, 0.0, 0.0)
    particles = measures.of_waves(problem, priors, waves, generator)
    exact = measures.of_parameters(problem, shares)
    values = measures.compared(particles, exact, measures.explanations(exact.waves))
    points = measures.stein_points(problem, _scaled(priors, problem), particles.waves, generator)
    values["stein"] = measures.stein_discrepancy(points).numpy()
    rows = pd.DataFrame({"item": np.arange(len(shares)), **values, "calls": sampler.calls})
    return rows, parameter_rows(particles)


def parameter_rows(draws: measures.Draws) -> pd.DataFrame:
    """Rows of item, particle, source (its place in the mix) and its parameters: cycles (f T), phase (p), amplitude."""
    parameters = draws.parameters.permute(2, 3, 0, 1).numpy()
    places = np.indices(parameters.shape[:3]).reshape(3, -1)
    names = {"cycles": 0, "phase": 1, "amplitude": 2}
    columns = {name: parameters[..., place].reshape(-1) for name, place in names.items()}
    return pd.DataFrame(dict(zip(("item", "particle", "source"), places, strict=True)) | columns)


def _scaled(priors: list[Exact], problem: tempering.Problem) -> list[Scaled]:
    return [Scaled(prior, gain) for prior, gain in zip(priors, problem.gains, strict=True)]
