"""Draw waveforms from the priors of one family, for each source and noise level (NaN where there is no such prior)."""

import itertools

import numpy as np
from audiopriors import runtime
from audiopriors.checkpoints import load_prior
from audiopriors.files import write_array
from audiopriors.seeds import torch_generator


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--priors", "the priors: for each source in turn, each of `levels`", many=True)
    program.output("--output", "(sources, sigmas, n, frame) float32 (npy)")
    arguments = program.arguments()
    settings = arguments.settings
    device = runtime.prepare(settings["threads"])
    sources, sigmas, levels = settings["sources"], settings["sigmas"], settings["levels"]
    count, frame = settings["samples"], settings["frame"]
    paths = dict(zip(itertools.product(sources, levels), arguments.priors, strict=True))
    drawn = np.full((len(sources), len(sigmas), count, frame), np.nan, np.float32)
    for (row, source), (column, sigma) in itertools.product(enumerate(sources), enumerate(sigmas)):
        level = "all" if sigma != "0" and "all" in levels else sigma
        if level in levels:
            prior = load_prior(paths[source, level], expect={"prior_source": source, "sigma": level}).to(device)
            generator = torch_generator(*settings["seed"], source, sigma)
            drawn[row, column] = prior.sample(count, frame, float(sigma), generator)[:, 0].cpu().numpy()
    write_array(drawn, arguments.output)


if __name__ == "__main__":
    runtime.run(main)
