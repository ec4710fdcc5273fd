"""Cached generation of a WaveNet against a full forward pass for every sample, in one process, as a ratio."""

import argparse
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from audiopriors.priors.wavenet import Config, build

SIZES = {
    "quick": Config("causal", "scalar", "clean", 1, 8, 2, 16, 32, 64),
    "paper": Config("causal", "scalar", "clean", 3, 10, 3, 256, 256, 256),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=4096)
    parser.add_argument("--batch", type=int, default=1, help="sequences at once")
    parser.add_argument("--repeats", type=int, default=3, help="full forward passes that are timed")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = torch.cuda.get_device_name() if device.type == "cuda" else f"cpu, {arguments.threads} threads"
    print(f"{name}; torch {torch.__version__}; {arguments.batch} x {arguments.samples} samples")

    def seconds(work) -> float:
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - started

    for size, config in SIZES.items():
        torch.manual_seed(0)
        prior = build(config).to(device).requires_grad_(False)
        x = 0.5 * torch.randn(arguments.batch, 1, arguments.samples, device=device).tanh()
        with torch.inference_mode():
            prior.sample(arguments.batch, 64, 0.0, torch.Generator())  # for warming up
            prior.logits(x)
            full = min(seconds(lambda: prior.logits(x)) for _ in range(arguments.repeats))  # noqa: B023
            cached = seconds(lambda: prior.sample(arguments.batch, arguments.samples, 0.0, torch.Generator()))  # noqa: B023
        each = cached / arguments.samples
        print(f"{size:>6}: cached {1e3 * each:.3f} ms a sample, full pass {1e3 * full:.1f} ms, ratio {full / each:.0f}")


if __name__ == "__main__":
    main()
