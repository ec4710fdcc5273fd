"""Separate test mixes into their sources by Langevin dynamics under trained priors."""

import logging

import pandas as pd
import torch
from audiopriors import files, registry, runtime, samplers, separation
from audiopriors.checkpoints import load_prior
from audiopriors.likelihood import log_prob_and_gradient
from audiopriors.seeds import torch_generator

log = logging.getLogger(__name__)


def main() -> None:
    parser = runtime.parser(__doc__)
    parser.add_argument("--data", required=True, help="the data set's items")
    parser.add_argument(
        "--priors",
        nargs="+",
        required=True,
        help="trained priors: for each sigma in turn, each source in turn",
    )
    parser.add_argument("--rows", required=True, help="output: metrics of each mix and source (parquet)")
    parser.add_argument("--trace", required=True, help="output: energy and residual after each step (parquet)")
    parser.add_argument("--examples", required=True, help="output: the first estimates (N, examples, frame) (npy)")
    arguments = parser.parse_args()
    settings = arguments.settings
    method, sources = settings["settings"], settings["mix"]
    device = runtime.prepare(settings["threads"])
    data = registry.open_data(settings["data"], arguments.data)

    def joint(paths: list[str], sigma: float) -> samplers.Prior:
        """log p_k(s_k) at noise level sigma and its gradient, of the priors at these paths, one a source."""
        priors = [
            load_prior(path, expect={"source": source}).to(device).at(sigma)
            for path, source in zip(paths, sources, strict=True)
        ]

        def prior(state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            pairs = [log_prob_and_gradient(one, part) for one, part in zip(priors, state, strict=True)]
            return torch.stack([pair[0] for pair in pairs]), torch.stack([pair[1] for pair in pairs])

        return prior

    levels = [
        samplers.Level(
            prior=joint(arguments.priors[number * len(sources) : (number + 1) * len(sources)], level),
            sigma=level,
            steps=method["steps"],
            step_size=method["step_size"],
            mixture_width=method["mixture_width"],
        )
        for number, level in enumerate(float(sigma) or method["noise_free_sigma"] for sigma in method["sigmas"])
    ]
    truth, mix = separation.mixes(data, sources, settings["items"], settings["frame"])
    estimates, stopped, traces = [], [], []
    size = max(1, settings["batch_samples"] // settings["frame"])
    for start in range(0, mix.shape[0], size):
        mix_batch = mix[start : start + size].to(device)
        generator = torch_generator(*settings["seed"], start)
        trace = []

        def note(number, step, energy, residual, trace=trace, start=start):
            trace.append((number, step, energy.cpu(), residual.cpu()))
            if step == 0 or (step + 1) % 20 == 0:
                log.info(
                    "mixes from %d, sigma %s, step %d/%d: median residual %.3g",
                    start, method["sigmas"][number], step + 1, method["steps"], residual.median().item(),
                )  # fmt: skip

        noise = torch.randn(len(sources), *mix_batch.shape, generator=generator).to(device)
        state = mix_batch / len(sources) + levels[0].sigma * noise
        state, halted = samplers.langevin(state, mix_batch, levels, generator, note)
        if float(method["sigmas"][-1]) > 0:
            state = samplers.denoise(state, levels[-1].prior, levels[-1].sigma)
        estimates.append(state.cpu())
        stopped.append(halted.cpu())
        traces.append(separation.trace_table(trace, method["sigmas"], start))
    estimated = torch.cat(estimates, 1)
    rows = separation.rows(
        settings, data, settings["prior"], settings["method"], truth, mix, estimated, torch.cat(stopped)
    )
    log.info("median SI-SDR %.1f dB", rows["si_sdr"].median())
    files.write_rows(rows, arguments.rows)
    files.write_rows(pd.concat(traces, ignore_index=True), arguments.trace)
    files.write_array(estimated[:, : settings["examples"], 0].numpy(), arguments.examples)


if __name__ == "__main__":
    runtime.run(main)
