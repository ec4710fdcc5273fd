"""Train the supervised separator of one mix; interrupted, it continues as a prior's training does."""

from audiopriors import registry, runtime, supervised, training
from audiopriors.checkpoints import save_prior


def main() -> None:
    parser = runtime.parser(__doc__)
    training.add_arguments(parser)
    parser.add_argument("--separator", required=True, help="output: the trained separator (safetensors)")
    arguments = parser.parse_args()
    settings, deadline = arguments.settings, training.deadline_of(arguments)
    device = runtime.prepare(settings["threads"])
    data = supervised.Mixes(registry.open_data(settings["data"], arguments.data), settings["mix"])
    training.initial_weights(tuple(settings["seed"]))
    separator = supervised.build(settings)
    described = {key: settings[key] for key in ("family", "model", "mix", "training")}
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
