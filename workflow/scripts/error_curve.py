"""Measure how well one prior denoises its own source at each noise level; samplers' levels are planned from this."""

import numpy as np
import torch
from audiopriors import files, registry, runtime
from audiopriors.checkpoints import load_prior
from audiopriors.seeds import torch_generator
from audiopriors.separation import schedules
from audiopriors.separation.scaled import Scaled


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--data", "the data set's items")
    program.input("--prior", "a prior that serves all noise levels")
    program.output("--output", "error of each validation item and level (parquet)")
    arguments = program.arguments()
    settings = arguments.settings
    device = runtime.prepare(settings["threads"])
    data = registry.open_data(settings["data"], arguments.data)
    prior = load_prior(arguments.prior, expect={"prior_source": settings["prior_source"]}).to(device)
    items = torch.arange(min(settings["items"], data.count("validation")))
    clean = data.frames("validation", settings["prior_source"], items, settings["frame"]).to(device)

    def noise(level: int) -> torch.Tensor:
        white = torch.randn(clean.shape, generator=torch_generator(*settings["seed"], level)).to(device)
        return prior.coloured(white)

    lowest, highest = settings["range"]
    if prior.noise_range:
        lowest, highest = max(lowest, prior.noise_range[0]), min(highest, prior.noise_range[1])
    sigmas = np.geomspace(lowest, highest, settings["levels"]).tolist()
    rows = schedules.errors(Scaled(prior).restore, clean, sigmas, noise)
    if prior.emphasis:
        second = schedules.errors(Scaled(prior).restore_emphasised, prior.emphasis.apply(clean), sigmas, noise)
        rows = rows.assign(**{name: second[key] for key, name in schedules.EMPHASISED.items()})
    rows.insert(0, "prior", settings["prior"])
    rows.insert(1, "prior_source", settings["prior_source"])
    files.write_rows(rows, arguments.output)


if __name__ == "__main__":
    runtime.run(main)
