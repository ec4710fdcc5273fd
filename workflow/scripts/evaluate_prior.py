"""Score one prior on every test source, the mix, constants and Gaussian noise, at every noise level of the data."""

from audiopriors import files, likelihood, registry, runtime
from audiopriors.checkpoints import load_prior


def main() -> None:
    parser = runtime.parser(__doc__)
    parser.add_argument("--data", required=True, help="the data set's items")
    parser.add_argument("--prior", required=True, help="the trained prior")
    parser.add_argument("--output", required=True, help="output: rows of scores (parquet)")
    arguments = parser.parse_args()
    settings = arguments.settings
    device = runtime.prepare(settings["threads"])
    expect = {key: settings[key] for key in ("family", "model", "source", "sigma")}
    rows = likelihood.evaluate(
        load_prior(arguments.prior, expect=expect),
        registry.open_data(settings["data"], arguments.data),
        name=settings["prior"],
        source=settings["source"],
        sigma=settings["sigma"],
        sources=settings["sources"],
        sigmas=settings["sigmas"],
        frame=settings["frame"],
        evaluation=likelihood.Evaluation(**settings["evaluation"]),
        seed=tuple(settings["seed"]),
        device=device,
    )
    rows.insert(0, "dataset", settings["dataset"])
    rows.insert(1, "family", settings["prior"])
    rows.insert(2, "prior", settings["source"])
    rows.insert(3, "prior_sigma", settings["sigma"])
    rows.insert(4, "seed", settings["replicate"])
    files.write_rows(rows, arguments.output)


if __name__ == "__main__":
    runtime.run(main)
