"""Separate test mixes by a posterior model, and measure its evidence lower bound and its calibration."""

import logging

import pandas as pd
import torch
from audiopriors import files, likelihood, registry, runtime
from audiopriors.seeds import torch_generator
from audiopriors.separation import encoder
from audiopriors.separation import running as separation
from audiopriors.separation.scaled import scaled_priors

log = logging.getLogger(__name__)


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--data", "the data set's items")
    program.input("--posterior", "the trained encoder")
    program.input("--priors", "the prior of each source of the mix, in its order", many=True)
    program.output("--rows", "metrics of each mix and source (parquet)")
    program.output("--bounds", "of each mix the bound's parts and the calibration (parquet)")
    program.output("--bands", "mean and 95 %% band of the first mixes' sources (3, N, examples, frame) (npy)")
    arguments = program.arguments()
    settings = arguments.settings
    device = runtime.prepare(settings["threads"])
    data, mix = registry.open_data(settings["data"], arguments.data), settings["mix"]
    truth, total, items = separation.mixes(data, mix, settings["items"], settings["frame"])
    model = encoder.load(arguments.posterior, priors=files.digest(*arguments.priors)).to(device)
    priors = scaled_priors(arguments.priors, mix, device)

    estimates, bounds, bands = [], [], []
    for number, (part, right) in enumerate(
        zip(
            likelihood.batches(total, settings["batch_samples"]),
            likelihood.batches(truth[:, :, 0].transpose(0, 1), settings["batch_samples"]),
            strict=True,
        )
    ):
        part = part.to(device)
        with torch.no_grad():
            laws = model(part)
            estimates.append(model.estimates(part).cpu())
            generator = torch_generator(*settings["seed"], number)
            bound = encoder.bound(model, laws, part, priors, settings["sigma"], settings["mixture_width"], generator)
        off = (model.places(right.to(device), laws) - 0.5).abs()
        inside = {f"inside_{share}": (off <= share / 200).double().mean((1, 2)) for share in (50, 95)}
        bounds.append(pd.DataFrame({key: value.cpu().numpy() for key, value in (bound | inside).items()}))
        bands.append(torch.stack([model.quantiles(laws, share) for share in (0.025, 0.975)]))
        log.info("%d of %d mixes", sum(map(len, estimates)), len(total))
    whole = torch.cat(estimates).transpose(0, 1)[:, :, None]
    rows = separation.rows(
        settings, data, settings["prior"], settings["posterior"], truth, total, items, separation.unjudged(whole)
    )
    log.info("median SI-SDR %.1f dB", rows["si_sdr"].median())
    files.write_rows(rows, arguments.rows)
    labels = {"dataset": settings["dataset"], "mix": mix["name"], "prior": settings["prior"]}
    labels |= {"posterior": settings["posterior"], "objective": settings["objective"]}
    tracks = [data.tracks("test")[item] for item in items.tolist()]
    measured = pd.concat(bounds, ignore_index=True).assign(item=items.numpy(), track=tracks, **labels)
    files.write_rows(measured, arguments.bounds)
    of_mean = torch.cat([whole[:, :, 0][None].double(), torch.cat(bands, 1).transpose(1, 2)])
    files.write_array(of_mean[:, :, : settings["examples"]].float().numpy(), arguments.bands)


if __name__ == "__main__":
    runtime.run(main)
