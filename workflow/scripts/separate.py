"""Separate test mixes into their sources, by a sampler under trained priors."""

import logging

from audiopriors import files, plans, registry, runtime, separation

log = logging.getLogger(__name__)


def main() -> None:
    parser = runtime.parser(__doc__)
    parser.add_argument("--data", required=True, help="the data set's items")
    parser.add_argument(
        "--priors",
        nargs="+",
        required=True,
        help="trained priors: for each sigma in turn, each source in turn",
    )
    parser.add_argument("--errors", nargs="*", default=[], help="the error curve of each source's prior, for a plan")
    parser.add_argument("--rows", required=True, help="output: metrics of each mix and source (parquet)")
    parser.add_argument("--trace", required=True, help="output: energy and residual at each step (parquet)")
    parser.add_argument("--particles", required=True, help="output: every particle's misfit and quality (parquet)")
    parser.add_argument("--forming", required=True, help="output: the first mix's estimates at each level (npy)")
    parser.add_argument("--examples", required=True, help="output: the first estimates (N, examples, frame) (npy)")
    arguments = parser.parse_args()
    settings = arguments.settings
    method, mix = settings["settings"], settings["mix"]
    device = runtime.prepare(settings["threads"])
    data = registry.open_data(settings["data"], arguments.data)
    truth, total = separation.mixes(data, mix, settings["items"], settings["frame"])
    curves = [plans.curve(files.read_rows([path])) for path in arguments.errors]
    separate = separation.Separator(arguments.priors, mix, method, device, curves)
    separated, trace, particles, forming = separation.separate_all(
        separate, total, batch_samples=settings["batch_samples"], seed=settings["seed"], truth=truth
    )
    rows = separation.rows(settings, data, settings["prior"], settings["method"], truth, total, separated)
    log.info("median SI-SDR %.1f dB", rows["si_sdr"].median())
    files.write_rows(rows, arguments.rows)
    files.write_rows(trace, arguments.trace)
    known = {"dataset": settings["dataset"], "method": settings["method"], "family": settings["prior"]}
    files.write_rows(particles.assign(**known, mix=mix["name"]), arguments.particles)
    files.write_array(forming.numpy(), arguments.forming)
    files.write_array(separated.estimates[:, : settings["examples"], 0].numpy(), arguments.examples)


if __name__ == "__main__":
    runtime.run(main)
