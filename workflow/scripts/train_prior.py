"""Train one prior: one source at one noise level, from scratch or from the prior of a smaller noise level.

A prior that needs no training (settings: training null) is made from the data set's own law, or taken out of priors
that were trained together. A killed or timed-out training that is started again continues where it was, and ends in the
same bytes.
"""

from audiopriors import registry, runtime, training
from audiopriors.checkpoints import build_prior, load_part, load_prior, save_prior
from audiopriors.files import csv_of, write_bytes


def main() -> None:
    program = runtime.Program(__doc__)
    training.add_arguments(program)
    program.input(
        "--initial", "a trained prior to start from, or priors trained together, to take one out of", required=False
    )
    program.output("--prior", "the trained prior (safetensors)")
    arguments = program.arguments()
    settings, deadline = arguments.settings, training.deadline_of(arguments)

    device = runtime.prepare(settings["threads"])
    data = registry.open_data(settings["data"], arguments.data)
    training.initial_weights(tuple(settings["seed"]))
    expect = {"family": settings["family"], "model": settings["model"]}
    if arguments.initial and settings["training"] is None:
        expect |= {"prior": settings["prior"], "sigma": settings["sigma"]}
        prior = load_part(arguments.initial, settings["prior_source"], expect=expect)
    elif arguments.initial:
        expect["prior_source"] = settings["prior_source"]
        prior = load_prior(arguments.initial, expect=expect).requires_grad_(True)
    else:
        prior = build_prior(settings["family"], settings["model"])

    described = {
        key: settings[key] for key in ("dataset", "prior", "family", "model", "prior_source", "sigma", "training")
    }

    def save() -> None:
        save_prior(arguments.prior, prior, described | {"rate": data.rate})

    if settings["training"] is None:
        if not arguments.initial:
            prior.fit(data, settings["prior_source"])
        write_bytes(arguments.losses, csv_of(training.LOSSES, []))
        save()
        return
    training.by_command(
        prior,
        data,
        settings["prior_source"],
        prior.noise_range if settings["sigma"] == "all" else float(settings["sigma"]),
        arguments,
        output=arguments.prior,
        save=save,
        inputs=[arguments.data, *([arguments.initial] if arguments.initial else [])],
        device=device,
        fresh=not arguments.initial,
        deadline=deadline,
    )


if __name__ == "__main__":
    runtime.run(main)
