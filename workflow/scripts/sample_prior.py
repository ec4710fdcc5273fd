"""Draw waveforms from the priors of one source, one set for each noise level."""

import io

import numpy as np
from audiopriors import runtime
from audiopriors.checkpoints import load_prior
from audiopriors.files import write_bytes
from audiopriors.seeds import torch_generator


def main() -> None:
    parser = runtime.parser(__doc__)
    parser.add_argument("--priors", nargs="+", required=True, help="the trained priors, in the order of sigmas")
    parser.add_argument("--output", required=True, help="output: (sigmas, n, frame) float32 (npy)")
    arguments = parser.parse_args()
    settings = arguments.settings
    device = runtime.prepare(settings["threads"])
    drawn = []
    for path, sigma in zip(arguments.priors, settings["sigmas"], strict=True):
        prior = load_prior(path, expect={"source": settings["source"], "sigma": sigma}).to(device)
        generator = torch_generator(*settings["seed"], sigma)
        drawn.append(prior.sample(settings["samples"], settings["frame"], generator)[:, 0].cpu().numpy())
    buffer = io.BytesIO()
    np.save(buffer, np.stack(drawn).astype(np.float32))
    write_bytes(arguments.output, buffer.getvalue())


if __name__ == "__main__":
    runtime.run(main)
