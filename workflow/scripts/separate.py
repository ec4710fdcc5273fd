"""Separate test mixes into their sources by Langevin dynamics under trained priors."""

import logging

from audiopriors import files, registry, runtime, separation

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
    parser.add_argument("--rows", required=True, help="output: metrics of each mix and source (parquet)")
    parser.add_argument("--trace", required=True, help="output: energy and residual after each step (parquet)")
    parser.add_argument("--examples", required=True, help="output: the first estimates (N, examples, frame) (npy)")
    arguments = parser.parse_args()
    settings = arguments.settings
    method, sources = settings["settings"], settings["mix"]
    device = runtime.prepare(settings["threads"])
    data = registry.open_data(settings["data"], arguments.data)
    truth, mix = separation.mixes(data, sources, settings["items"], settings["frame"])
    separate = separation.separator(arguments.priors, sources, method, device)
    estimates, stopped, trace = separation.separate_all(
        separate, mix, method, batch_samples=settings["batch_samples"], seed=settings["seed"]
    )
    rows = separation.rows(settings, data, settings["prior"], settings["method"], truth, mix, estimates, stopped)
    log.info("median SI-SDR %.1f dB", rows["si_sdr"].median())
    files.write_rows(rows, arguments.rows)
    files.write_rows(trace, arguments.trace)
    files.write_array(estimates[:, : settings["examples"], 0].numpy(), arguments.examples)


if __name__ == "__main__":
    runtime.run(main)
