"""Score the priors of one source on every test source, the mix, constants and Gaussian noise, at every noise level."""

import logging

import pandas as pd
from audiopriors import files, likelihood, registry, runtime
from audiopriors.checkpoints import load_prior

log = logging.getLogger(__name__)


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--data", "the data set's items")
    program.input("--priors", "the priors, in the order of `levels`", many=True)
    program.output("--output", "rows of measures (parquet)")
    arguments = program.arguments()
    settings = arguments.settings
    device = runtime.prepare(settings["threads"])
    data = registry.open_data(settings["data"], arguments.data)
    parts = []
    for sigma, path in zip(settings["levels"], arguments.priors, strict=True):
        expect = {key: settings[key] for key in ("family", "model", "prior_source")} | {"sigma": sigma}
        parts.append(
            likelihood.evaluate(
                load_prior(path, expect=expect),
                data,
                name=settings["prior"],
                source=settings["prior_source"],
                sigma=sigma,
                sources=settings["sources"],
                sigmas=settings["sigmas"],
                frame=settings["frame"],
                evaluation=likelihood.Evaluation(**settings["evaluation"]),
                seed=tuple(settings["seed"]),
                device=device,
            )
        )
        log.info("prior of sigma %s done, %d rows", sigma, len(parts[-1]))
    rows = pd.concat(parts, ignore_index=True)
    rows.insert(0, "dataset", settings["dataset"])
    rows.insert(1, "prior", settings["prior"])
    rows.insert(2, "prior_source", settings["prior_source"])
    rows.insert(3, "seed", settings["replicate"])
    files.write_rows(rows, arguments.output)


if __name__ == "__main__":
    runtime.run(main)
