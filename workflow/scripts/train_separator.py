"""Train the supervised separator of one mix. An interrupted run continues as a prior's training does."""

from audiopriors import registry, runtime, training
from audiopriors.checkpoints import save_prior
from audiopriors.separation import supervised


def main() -> None:
    program = runtime.Program(__doc__)
    training.add_arguments(program)
    program.output("--separator", "the trained separator (safetensors)")
    arguments = program.arguments()
    settings, deadline = arguments.settings, training.deadline_of(arguments)
    device = runtime.prepare(settings["threads"])
    data = supervised.Mixtures(
        registry.open_data(settings["data"], arguments.data), settings["mix"], settings["draw"] == "together"
    )
    training.initial_weights(tuple(settings["seed"]))
    separator = supervised.build(settings)
    described = {key: settings[key] for key in ("name", "family", "model", "mix", "draw", "training")}
    training.by_command(
        separator,
        data,
        "mix",
        0.0,
        arguments,
        output=arguments.separator,
        save=lambda: save_prior(arguments.separator, separator, described),
        inputs=[arguments.data],
        device=device,
        fresh=True,
        deadline=deadline,
    )


if __name__ == "__main__":
    runtime.run(main)
