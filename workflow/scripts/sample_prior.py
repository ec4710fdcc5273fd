"""Draw waveforms from the priors of one source, one set for each noise level (NaN where there is no such prior)."""

import io

import numpy as np
from audiopriors import runtime
from audiopriors.checkpoints import load_prior
from audiopriors.files import write_bytes
from audiopriors.seeds import torch_generator


def main() -> None:
    parser = runtime.parser(__doc__)
    parser.add_argument("--priors", nargs="+", required=True, help="the priors, in the order of `levels`")
    parser.add_argument("--output", required=True, help="output: (sigmas, n, frame) float32 (npy)")
    arguments = parser.parse_args()
    settings = arguments.settings
    device = runtime.prepare(settings["threads"])
    count, frame = settings["samples"], settings["frame"]
    paths = dict(zip(settings["levels"], arguments.priors, strict=True))
    drawn = np.full((len(settings["sigmas"]), count, frame), np.nan, np.float32)
    for place, sigma in enumerate(settings["sigmas"]):
        level = "all" if sigma != "0" and "all" in paths else sigma
        if level in paths:
            prior = load_prior(paths[level], expect={"source": settings["source"], "sigma": level}).to(device)
            generator = torch_generator(*settings["seed"], sigma)
            drawn[place] = prior.at(float(sigma)).sample(count, frame, generator)[:, 0].cpu().numpy()
    buffer = io.BytesIO()
    np.save(buffer, drawn)
    write_bytes(arguments.output, buffer.getvalue())


if __name__ == "__main__":
    runtime.run(main)
