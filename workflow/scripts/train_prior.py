"""Train one prior: one source at one noise level, from scratch or from the prior of a smaller noise level.

A prior that needs no training (settings: training null) is made of the data set's own law. A killed or timed-out
training that is started again continues where it was, and ends in the same bytes.
"""

import math
import time
from pathlib import Path

from audiopriors import registry, runtime, training
from audiopriors.checkpoints import build_prior, load_prior, save_prior
from audiopriors.files import digest, write_csv


def main() -> None:
    parser = runtime.parser(__doc__)
    parser.add_argument("--data", required=True, help="the data set's items")
    parser.add_argument("--initial", help="a trained prior to start from (fine-tuning)")
    parser.add_argument("--code", nargs="*", default=[], help="files that change the result: a saved state knows them")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop and save shortly before so many minutes")
    parser.add_argument("--prior", required=True, help="output: the trained prior (safetensors)")
    parser.add_argument("--losses", required=True, help="output: the loss table (CSV)")
    arguments = parser.parse_args()
    settings = arguments.settings
    deadline = time.monotonic() + 60 * arguments.minutes - min(120, 6 * arguments.minutes)

    device = runtime.prepare(settings["threads"])
    data = registry.open_data(settings["data"], arguments.data)
    seed = tuple(settings["seed"])
    training.initial_weights(seed)
    if arguments.initial:
        expect = {"family": settings["family"], "model": settings["model"], "source": settings["source"]}
        prior = load_prior(arguments.initial, expect=expect).requires_grad_(True)
    else:
        prior = build_prior(settings["family"], settings["model"])

    described = {key: settings[key] for key in ("dataset", "prior", "family", "model", "source", "sigma", "training")}
    if settings["training"] is None:
        prior.fit(data, settings["source"])
        write_csv(training.LOSSES, [], arguments.losses)
        save_prior(arguments.prior, prior, described | {"rate": data.rate})
        return

    resume = Path(f"{arguments.prior}.resume")
    inputs = [arguments.data, *([arguments.initial] if arguments.initial else []), *arguments.code]
    fingerprint = f"{digest(*inputs)} {settings}"
    losses = training.train(
        prior,
        data,
        settings["source"],
        float(settings["sigma"]),
        training.Training(**settings["training"]),
        seed=seed,
        fingerprint=fingerprint,
        resume=resume,
        device=device,
        fresh=not arguments.initial,
        deadline=deadline,
    )
    write_csv(training.LOSSES, losses, arguments.losses)
    save_prior(arguments.prior, prior, described | {"rate": data.rate})
    resume.unlink(missing_ok=True)


if __name__ == "__main__":
    runtime.run(main)
