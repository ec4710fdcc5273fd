"""Score the priors of one source on every test source, the mix, constants and Gaussian noise, at every noise level.

The priors also denoise their source, and their likelihoods of a few waves are split over time.
"""

import logging

import numpy as np
import pandas as pd
from audiopriors import denoising, files, likelihood, registry, runtime
from audiopriors.checkpoints import load_prior

log = logging.getLogger(__name__)


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--data", "the data set's items")
    program.input("--priors", "the priors, in the order of `levels`", many=True)
    program.output("--output", "rows of measures (parquet)")
    program.output("--denoised", "rows of denoising errors (parquet)")
    program.output("--maps", "log p at each sample of the waves of likelihood.mapped, NaN if there is none (npy)")
    arguments = program.arguments()
    settings = arguments.settings
    device = runtime.prepare(settings["threads"])
    data = registry.open_data(settings["data"], arguments.data)
    evaluation, seed = likelihood.Evaluation(**settings["evaluation"]), tuple(settings["seed"])
    waves, mapped_sigma = likelihood.mapped(data, settings["sources"], settings["frame"]), settings["mapped_sigma"]
    waves = likelihood.test_noise(waves, mapped_sigma, *seed, "map")
    maps = np.full((len(waves), settings["frame"]), np.nan, np.float32)
    parts, denoised = [], [denoising.NONE]
    for sigma, path in zip(settings["levels"], arguments.priors, strict=True):
        expect = {key: settings[key] for key in ("family", "model", "prior_source")} | {"sigma": sigma}
        prior = load_prior(path, expect=expect)
        own = {"source": settings["prior_source"], "sigma": sigma, "sigmas": settings["sigmas"],
               "frame": settings["frame"], "evaluation": evaluation, "seed": seed, "device": device}  # fmt: skip
        parts.append(likelihood.evaluate(prior, data, name=settings["prior"], sources=settings["sources"], **own))
        if (parts[-1]["measure"] == "log_prob").any():
            denoised.append(denoising.evaluate(prior, data, **own))
            if sigma in (mapped_sigma, "all"):
                maps = likelihood.maps(prior, waves, float(mapped_sigma), evaluation.batch_samples, device)
        log.info("prior of sigma %s done, %d rows", sigma, len(parts[-1]))
    described = {key: settings[key] for key in ("dataset", "prior", "prior_source")} | {"seed": settings["replicate"]}
    for rows, output in ((parts, arguments.output), (denoised, arguments.denoised)):
        rows = pd.concat(rows, ignore_index=True)
        for place, (column, value) in enumerate(described.items()):
            rows.insert(place, column, value)
        files.write_rows(rows, output)
    files.write_array(maps, arguments.maps)


if __name__ == "__main__":
    runtime.run(main)
