"""The references of a separation: the mix as estimate, and an oracle that knows every frequency and phase."""

import torch
from audiopriors import registry, runtime, samplers, separation


def main() -> None:
    parser = runtime.parser(__doc__)
    parser.add_argument("--data", required=True, help="the data set's items")
    parser.add_argument("--rows", required=True, help="output: metrics of each mix and source (parquet)")
    arguments = parser.parse_args()
    settings = arguments.settings
    runtime.prepare(settings["threads"])
    data = registry.open_data(settings["data"], arguments.data)
    truth, mix = separation.mixes(data, settings["mix"], settings["items"], settings["frame"])
    if settings["method"] == "mix":
        estimates = (mix / len(settings["mix"])).expand_as(truth)
    else:
        items = torch.arange(mix.shape[0])
        waves = [data.unit_waves("test", source, items, settings["frame"]) for source in settings["mix"]]
        estimates = samplers.parametric_oracle(torch.stack(waves), mix).float()
    stopped = torch.zeros(mix.shape[0], dtype=torch.bool)
    separation.write(settings, truth, mix, estimates, stopped, [], rows=arguments.rows)


if __name__ == "__main__":
    runtime.run(main)
