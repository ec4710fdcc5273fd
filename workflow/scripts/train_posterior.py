"""Train the posterior model of one mix against frozen priors. If interrupted, it continues as a prior's training."""

import logging

import torch
from audiopriors import files, registry, runtime, training
from audiopriors.checkpoints import save_prior
from audiopriors.separation import encoder, supervised
from audiopriors.separation.scaled import scaled_priors
from audiopriors.settings import Posterior

log = logging.getLogger(__name__)


def main() -> None:
    program = runtime.Program(__doc__)
    training.add_arguments(program)
    program.input("--priors", "the frozen prior of each source of the mix, in its order", many=True)
    program.input("--start", "a trained posterior model to start from", required=False)
    program.output("--posterior", "the trained encoder (safetensors)")
    arguments = program.arguments()
    settings, deadline = arguments.settings, training.deadline_of(arguments)
    posterior, mix, seed = Posterior(**settings["posterior"]), settings["mix"], tuple(settings["seed"])
    device = runtime.prepare(settings["threads"])
    data = supervised.Mixes(registry.open_data(settings["data"], arguments.data), mix)
    frame, sigma, against = settings["training"]["frame"], settings["sigma"], files.digest(*arguments.priors)
    priors = scaled_priors(arguments.priors, mix, device)
    training.initial_weights(seed)
    if arguments.start:
        model = encoder.load(arguments.start, priors=against).requires_grad_(True)
    else:
        model = encoder.build({**settings, "law": posterior.law})
        model.take(priors[0].prior)
    objective = encoder.Objective(model, posterior.objective, priors, sigma, posterior.mixture_width)
    if posterior.objective == "sleep":
        waves = []
        for source, prior in zip(mix["sources"], priors, strict=True):
            drawn, size = (*seed, "waves", source), prior.items if device.type == "cpu" else 128
            waves.append(encoder.dreamed(prior.prior, posterior.waves, frame, sigma / prior.gain, drawn, size, source))
            log.info("%d waves of %s drawn", posterior.waves, source)
        source_of_mixes = encoder.Drawn(waves, mix["gains"], data)
    else:
        source_of_mixes = data

    def save() -> None:
        validation = torch.arange(min(settings["training"]["validation_items"], data.count("validation")))
        sources = data.frames("validation", "mix", validation, frame).to(device)
        described = {key: settings[key] for key in ("name", "prior", "family", "model", "mix", "training", "sigma")}
        described |= {"priors": against, "errors": encoder.errors(model, sources), **settings["posterior"]}
        save_prior(arguments.posterior, model, described)

    training.by_command(
        objective,
        source_of_mixes,
        "mix",
        (sigma, posterior.from_sigma) if posterior.objective == "elbo_annealed" else sigma,
        arguments,
        output=arguments.posterior,
        save=save,
        inputs=[arguments.data, *arguments.priors, *([arguments.start] if arguments.start else [])],
        device=device,
        fresh=not arguments.start,
        deadline=deadline,
    )


if __name__ == "__main__":
    runtime.run(main)
