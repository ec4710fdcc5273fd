"""Train the priors of all sources together, from separately trained ones.

An interrupted run continues as a prior's training does.
"""

from audiopriors import registry, runtime, training
from audiopriors.checkpoints import load_prior, save_prior
from audiopriors.joint import JointPriors
from audiopriors.separation.supervised import Mixes


def main() -> None:
    program = runtime.Program(__doc__)
    training.add_arguments(program)
    program.input("--initial", "the separate prior of each source, in the order of `sources`", many=True)
    program.output("--priors", "the priors (safetensors)")
    arguments = program.arguments()
    settings, deadline = arguments.settings, training.deadline_of(arguments)
    device = runtime.prepare(settings["threads"])
    sources = settings["sources"]
    data = Mixes(
        registry.open_data(settings["data"], arguments.data), {"sources": sources, "gains": [1] * len(sources)}
    )
    training.initial_weights(tuple(settings["seed"]))
    expect = {key: settings[key] for key in ("family", "model", "sigma")}
    priors = [
        load_prior(path, expect=expect | {"prior_source": source}).requires_grad_(True)
        for source, path in zip(sources, arguments.initial, strict=True)
    ]
    joint = JointPriors(priors, **settings["jointly"], frame=settings["training"]["frame"])
    described = {
        key: settings[key] for key in ("dataset", "prior", "family", "model", "sources", "sigma", "training", "jointly")
    }
    training.by_command(
        joint,
        data,
        "all",
        float(settings["sigma"]),
        arguments,
        output=arguments.priors,
        save=lambda: save_prior(arguments.priors, joint.priors, described),
        inputs=[arguments.data, *arguments.initial],
        device=device,
        fresh=False,
        deadline=deadline,
    )


if __name__ == "__main__":
    runtime.run(main)
