"""Sample the posterior of test mixes by a sampler, and compare every particle with exact draws."""

import logging

import numpy as np
import pandas as pd
import torch
from audiopriors import files, registry, runtime
from audiopriors.fidelity import running
from audiopriors.separation import running as separation
from audiopriors.separation import schedules
from audiopriors.settings import Fidelity

log = logging.getLogger(__name__)


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--data", "the data set's items")
    program.input("--priors", "trained priors of each source; in any order", many=True)
    program.input("--errors", "the error curve of each source's prior", many=True)
    program.input("--exact", "the exact prior of each source; in any order", many=True)
    program.input("--draws", "exact draws of exact_posterior, of each mix in turn (npy)", many=True)
    program.output("--rows", "measures of each mix (parquet)")
    program.output("--particles", "parameters of each particle (parquet)")
    arguments = program.arguments()
    settings = arguments.settings
    device = runtime.prepare(settings["threads"])
    data, fidelity = registry.open_data(settings["data"], arguments.data), Fidelity(**settings["fidelity"])
    exact = separation.priors_of(arguments.exact, torch.device("cpu"))
    priors, curves = separation.priors_of(arguments.priors, device), schedules.curves(files.read_rows(arguments.errors))
    rows, particles = [], []
    for mix, draws in zip(settings["mixes"], arguments.draws, strict=True):
        problem, of_sources, _, _ = running.problem_of(data, mix, fidelity.items, settings["frame"], exact)
        shares = torch.from_numpy(np.load(draws))[: len(problem.mix)]
        sampler = separation.sampler_of(settings["settings"], mix, priors, curves, device)
        measured, sampled = running.of_sampler(
            problem, of_sources, shares, sampler, fidelity, (*settings["seed"], mix["name"])
        )
        log.info(
            "mix %s: %.2f of exact draws in 95 %% regions, energy distance %.2f", mix["name"],
            measured["coverage_95"].mean(), measured["energy_distance"].mean(),
        )  # fmt: skip
        labels = {"dataset": settings["dataset"], "mix": mix["name"], "method": settings["method"]}
        rows.append(measured.assign(**labels, prior=settings["prior"]))
        particles.append(sampled.assign(**labels, prior=settings["prior"]))
    files.write_rows(pd.concat(rows, ignore_index=True), arguments.rows)
    files.write_rows(pd.concat(particles, ignore_index=True), arguments.particles)


if __name__ == "__main__":
    runtime.run(main)
