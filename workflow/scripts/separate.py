"""Separate test mixes into their sources, by a sampler under trained priors."""

import logging

from audiopriors import files, registry, runtime
from audiopriors.separation import encoder, schedules
from audiopriors.separation import running as separation

log = logging.getLogger(__name__)


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--data", "the data set's items")
    program.input("--priors", "trained priors of each source, at each sigma or at all; in any order", many=True)
    program.input("--errors", "the error curve of each source's prior, for a plan", many=True, required=False)
    program.input("--posterior", "the posterior model that the method begins with", many=True, required=False)
    program.output("--rows", "metrics of each mix and source (parquet)")
    program.output("--trace", "energy and residual at each step (parquet)")
    program.output("--particles", "every particle's misfit and quality (parquet)")
    program.output("--forming", "the first mix's estimates at each level (npy)")
    program.output("--examples", "the first estimates (N, examples, frame) (npy)")
    arguments = program.arguments()
    settings = arguments.settings
    method, mix = settings["settings"], settings["mix"]
    device = runtime.prepare(settings["threads"])
    data = registry.open_data(settings["data"], arguments.data)
    truth, total, items = separation.mixes(data, mix, settings["items"], settings["frame"])
    curves = schedules.curves(files.read_rows(arguments.errors)) if arguments.errors else {}
    begun_by = None
    if arguments.posterior:
        begun_by = encoder.load(arguments.posterior[0], priors=files.digest(*arguments.priors)).to(device)
    priors = separation.priors_of(arguments.priors, device)
    separate = separation.sampler_of(method, mix, priors, curves, device, begun_by)
    separated, trace, particles, forming = separation.separate_all(
        separate, total, batch_samples=settings["batch_samples"], seed=settings["seed"], truth=truth
    )
    rows = separation.rows(settings, data, settings["prior"], settings["method"], truth, total, items, separated)
    log.info("median SI-SDR %.1f dB", rows["si_sdr"].median())
    files.write_rows(rows, arguments.rows)
    files.write_rows(trace, arguments.trace)
    labels = {"dataset": settings["dataset"], "method": settings["method"], "prior": settings["prior"]}
    files.write_rows(particles.assign(**labels, mix=mix["name"]), arguments.particles)
    files.write_array(forming.numpy(), arguments.forming)
    files.write_array(separated.estimates[:, : settings["examples"], 0].numpy(), arguments.examples)


if __name__ == "__main__":
    runtime.run(main)
