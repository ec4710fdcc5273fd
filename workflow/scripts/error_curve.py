"""How well one prior denoises its own source at each noise level: what a sampler's levels are planned from."""

import numpy as np
import torch
from audiopriors import files, registry, runtime
from audiopriors.checkpoints import load_prior
from audiopriors.seeds import torch_generator
from audiopriors.separation import plans
from audiopriors.separation import running as separation


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
        return torch.randn(clean.shape, generator=torch_generator(*settings["seed"], level)).to(device)

    lowest, highest = settings["range"]
    known = getattr(prior, "noise_range", (lowest, highest))  # what it was trained for
    sigmas = np.geomspace(max(lowest, known[0]), min(highest, known[1]), settings["levels"]).tolist()
    rows = plans.errors(separation.denoiser(prior), clean, sigmas, noise)
    rows.insert(0, "prior", settings["prior"])
    rows.insert(1, "prior_source", settings["prior_source"])
    files.write_rows(rows, arguments.output)


if __name__ == "__main__":
    runtime.run(main)
