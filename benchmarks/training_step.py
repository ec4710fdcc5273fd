"""A paper-size training step against a textbook version of itself, in one process, as ratios.

The textbook version has filter, gate, residual and skip convolutions apart and weight norm on each, as the paper's
appendix draws it and its authors' code has it, and torch's Adam, in float32. Ours is timed in float32 and with products
in bfloat16 (`training.precision`). All take turns, so that what else the machine does falls on each.
"""

import argparse
import functools
import statistics
import time

import full
import torch
from audiopriors.checkpoints import build_prior
from audiopriors.layers import GatedStack
from audiopriors.optimiser import Adam
from audiopriors.precision import products_of
from torch import nn
from torch.nn.utils.parametrizations import weight_norm


class TextbookStack(nn.Module):
    """The same function as a GatedStack, one convolution at a time."""

    def __init__(self, stack: GatedStack):
        super().__init__()
        width, skip_width = stack.filter_gate.shape[3], stack.skip.shape[0]

        def convolutions(outputs: int, taps: list[tuple[int, ...]]) -> nn.ModuleList:
            dilations = [max(1, (offsets[-1] - offsets[0]) // max(1, len(offsets) - 1)) for offsets in taps]
            return nn.ModuleList(
                weight_norm(nn.Conv1d(width, outputs, len(offsets), dilation=dilation, padding=-offsets[0]))
                for offsets, dilation in zip(taps, dilations, strict=True)
            )

        once = [(0,)] * len(stack.offsets)
        self.filters, self.gates = convolutions(width, stack.offsets), convolutions(width, stack.offsets)
        self.residuals, self.skips = convolutions(width, once), convolutions(skip_width, once)

    def forward(self, hidden):
        total = 0
        for filter_, gate, residual, skip in zip(self.filters, self.gates, self.residuals, self.skips, strict=True):
            length = hidden.shape[2]  # what a causal convolution gives after the frame is cut off
            gated = torch.tanh(filter_(hidden)[..., :length]) * torch.sigmoid(gate(hidden)[..., :length])
            total = total + skip(gated)
            hidden = hidden + residual(gated)
        return total


def textbook(module: nn.Module) -> None:
    """Replace every stack of the module, and put weight norm on its other convolutions."""
    for name, child in module.named_children():
        if isinstance(child, GatedStack):
            setattr(module, name, TextbookStack(child))
        elif isinstance(child, nn.Conv1d) and child.weight.any():  # not those that start at zero
            weight_norm(child)
        else:
            textbook(child)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prior", choices=("flowavenet", "wavenet"), default="flowavenet")
    parser.add_argument("--batch", type=int, default=5, help="the paper's 5")
    parser.add_argument("--frame", type=int, default=16384, help="samples; the paper's 2^14")
    parser.add_argument("--repeats", type=int, default=5, help="timed steps of each")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    x = 0.5 * torch.randn(arguments.batch, 1, arguments.frame, device=device)
    described = full.scale()["priors"][arguments.prior]
    contestants = {}
    for name, precision in (("textbook", "float32"), ("ours", "float32"), ("ours, bfloat16", "bfloat16")):
        prior = build_prior(described["family"], described["model"])
        if name == "textbook":
            textbook(prior)
        prior.to(device)
        prior.initialise(x, x, 0.0)
        step = torch.optim.Adam(prior.parameters(), lr=1e-4).step
        if name != "textbook":
            step = functools.partial(Adam(prior, 0.999).step, 1e-4)
        contestants[name] = (prior, precision, step, [])

    for repeat in range(arguments.repeats + 1):  # the first is for warming up
        for prior, precision, step, seconds in contestants.values():
            started = time.perf_counter()
            prior.zero_grad()
            with products_of(precision):
                prior.loss(x, x, 0.0).backward()
            nn.utils.clip_grad_norm_(prior.parameters(), 50.0)
            step()
            if device.type == "cuda":
                torch.cuda.synchronize()
            if repeat:
                seconds.append(time.perf_counter() - started)

    name = torch.cuda.get_device_name() if device.type == "cuda" else f"cpu, {arguments.threads} threads"
    print(f"{name}; torch {torch.__version__}; {arguments.prior}, batch {arguments.batch} x {arguments.frame}")
    of_textbook = contestants["textbook"][-1]
    for label, (prior, _, _, seconds) in contestants.items():
        size = sum(parameter.numel() for parameter in prior.parameters()) / 1e6
        ratios = [theirs / ours for ours, theirs in zip(seconds, of_textbook, strict=True)]
        print(
            f"{label:>14}: {statistics.median(seconds):.3f} s a step, {size:.2f} M parameters, "
            f"ratio {statistics.median(ratios):.2f} (lowest {min(ratios):.2f}, highest {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
