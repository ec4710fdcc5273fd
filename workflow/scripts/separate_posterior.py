"""Separate test mixes by a posterior model, and measure its evidence lower bound and its calibration.

For a mix of one source in noise, also measure how well it denoises, on the same items as priors.
"""

import logging

import pandas as pd
import torch
from audiopriors import denoising, files, likelihood, registry, runtime
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
    program.output("--denoised", "rows of denoising errors (parquet)")
    program.output("--bands", "mean and 95 %% band of the first mixes' sources (3, N, examples, frame) (npy)")
    arguments = program.arguments()
    settings = arguments.settings
    device = runtime.prepare(settings["threads"])
    data, mix = registry.open_data(settings["data"], arguments.data), settings["mix"]
    truth, total, items = separation.mixes(data, mix, settings["items"], settings["frame"])
    model = encoder.load(arguments.posterior, priors=files.digest(*arguments.priors)).to(device)
    priors = scaled_priors(arguments.priors, mix, device)

    estimates, bounds = [], []
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
        right = right.to(device)
        if settings["objective"] != "sleep":
            right = encoder.carrying(right, part, settings["sigma"], mix["noise"], generator)
        off = (model.places(right, laws) - 0.5).abs()
        inside = {f"inside_{share}": (off <= share / 200).double().mean((1, 2)) for share in (50, 95)}
        bounds.append(pd.DataFrame({key: value.cpu().numpy() for key, value in (bound | inside).items()}))
        log.info("%d of %d mixes", sum(map(len, estimates)), len(total))
    whole = torch.cat(estimates).transpose(0, 1)[:, :, None]
    rows = separation.rows(
        settings, data, settings["prior"], settings["posterior"], truth, total, items, separation.unjudged(whole)
    )
    log.info("median SI-SDR %.1f dB", rows["si_sdr"].median())
    files.write_rows(rows, arguments.rows)
    files.write_rows(_denoised(model, data, settings, device), arguments.denoised)
    labels = {"dataset": settings["dataset"], "mix": mix["name"], "prior": settings["prior"]}
    labels |= {"posterior": settings["posterior"], "objective": settings["objective"]}
    labels |= {"law": settings["law"], "steps": settings["steps"]}
    tracks = [data.tracks("test")[item] for item in items.tolist()]
    measured = pd.concat(bounds, ignore_index=True).assign(item=items.numpy(), track=tracks, **labels)
    files.write_rows(measured, arguments.bounds)
    with torch.no_grad():
        laws = model(total[: settings["examples"]].to(device))
    ends = torch.stack([model.quantiles(laws, share) for share in (0.025, 0.975)]).transpose(1, 2)
    means = whole[:, : settings["examples"], 0][None].double()
    files.write_array(torch.cat([means, ends]).float().numpy(), arguments.bands)


def _denoised(model, data, settings: dict, device) -> pd.DataFrame:
    """Rows of the table `denoising`; no rows for a mix without noise."""
    rows, source = denoising.NONE, settings["mix"]["sources"][0]
    if settings["denoising"]:
        of = settings["denoising"] | {"evaluation": likelihood.Evaluation(**settings["denoising"]["evaluation"])}
        labels = {"prior_sigma": settings["prior_sigma"], "estimate": settings["posterior"]}
        rows = denoising.errors(
            lambda x: encoder.denoised(model, x), data, source=source, frame=settings["frame"], device=device,
            **of, **labels,
        )  # fmt: skip
    return rows.assign(dataset=settings["dataset"], prior=settings["prior"], prior_source=source, seed=0)


if __name__ == "__main__":
    runtime.run(main)
