"""What the gradient of each prior at full scale keeps in memory, counted on one frame on a CPU: no GPU is needed.

A training step keeps it for its batch; scores of gradients and Langevin samplers for `batch_samples` samples at once.
Weights, what an operation needs while it runs, and the zeros between frames that a GPU takes at once come on top.
"""

import argparse

import full
import torch
from audiopriors.checkpoints import build_prior
from audiopriors.diffusion import Diffusion


def kept(work) -> int:
    """Bytes that autograd keeps of what `work` computes."""
    storages = {}

    def keep(tensor):
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = work()
    del result  # until here nothing that was kept is freed, so no address is counted twice
    return sum(storages.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frame", type=int, default=16384, help="samples that are counted on")
    arguments = parser.parse_args()
    scale = full.scale()
    frame, at_once = scale["datasets"]["toy"]["frame"], scale["evaluation"]["batch_samples"]
    print(f"| prior | kB a sample | training, GB | {at_once} samples at once, GB |\n|---|---|---|---|")
    for name, described in scale["priors"].items():
        if "training" not in described:
            continue
        prior = build_prior(described["family"], described["model"])
        x = 0.3 * torch.randn(1, 1, arguments.frame)
        sigma = torch.full((1,), 0.129) if described["levels"] == "one" else 0.129
        prior.initialise(x, x, sigma)
        each = kept(lambda prior=prior, x=x, sigma=sigma: prior.loss(x, x, sigma)) / arguments.frame
        batch = described["training"]["batch"]
        # A denoiser is sampled without its gradient.
        langevin = "–" if isinstance(prior, Diffusion) else f"{each * at_once / 1e9:.1f}"
        print(f"| {name} | {each / 1e3:.1f} | {each * batch * frame / 1e9:.1f} (batch {batch}) | {langevin} |")


if __name__ == "__main__":
    main()
