"""The paper-size FloWaveNet training step against a textbook version of itself, in one process, as a ratio.

The textbook version has filter, gate, residual and skip convolutions apart and weight norm on each, as the paper's
appendix draws it and its authors' code has it. Both are float32, and take turns, so that what else the machine does
falls on both.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from audiopriors.layers import GatedStack
from audiopriors.priors.flowavenet import Config, build

PAPER = Config(
    blocks=4, flows=6, layers=10, kernel_size=3, width=32, blocks_per_split=2, partition="interleaved",
    log_scale_bound=3.0, log_det_weight=1.0, sigma_min=0.0, sigma_max=0.0,
)  # fmt: skip


class TextbookStack(nn.Module):
    """The same function as a GatedStack, one convolution at a time."""

    def __init__(self, stack: GatedStack):
        super().__init__()
        layers, taps, _, width = stack.filter_gate.shape
        skip_width = stack.skip.shape[0]

        def conv(outputs: int, kernel: int = 1, dilation: int = 1) -> nn.Module:
            reach = (kernel - 1) * dilation // 2
            return weight_norm(nn.Conv1d(width, outputs, kernel, dilation=dilation, padding=reach))

        self.filters = nn.ModuleList(conv(width, taps, 2**layer) for layer in range(layers))
        self.gates = nn.ModuleList(conv(width, taps, 2**layer) for layer in range(layers))
        self.residuals = nn.ModuleList(conv(width) for _ in range(layers))
        self.skips = nn.ModuleList(conv(skip_width) for _ in range(layers))

    def forward(self, hidden):
        total = 0
        for filter_, gate, residual, skip in zip(self.filters, self.gates, self.residuals, self.skips, strict=True):
            gated = torch.tanh(filter_(hidden)) * torch.sigmoid(gate(hidden))
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
    ours, theirs = build(PAPER), build(PAPER)
    textbook(theirs)
    contestants = {}
    for name, prior in (("ours", ours), ("textbook", theirs)):
        prior.to(device)
        prior.initialise(x, x, 0.0)
        contestants[name] = (prior, torch.optim.Adam(prior.parameters(), lr=1e-4), [])

    for repeat in range(arguments.repeats + 1):  # the first is for warming up
        for prior, optimiser, seconds in contestants.values():
            started = time.perf_counter()
            loss = prior.loss(x, x, 0.0)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(prior.parameters(), 50.0)
            optimiser.step()
            if device.type == "cuda":
                torch.cuda.synchronize()
            if repeat:
                seconds.append(time.perf_counter() - started)

    name = torch.cuda.get_device_name() if device.type == "cuda" else f"cpu, {arguments.threads} threads"
    ratios = [b / a for a, b in zip(contestants["ours"][2], contestants["textbook"][2], strict=True)]
    print(f"{name}; torch {torch.__version__}; batch {arguments.batch} x {arguments.frame}")
    for label, (prior, _, seconds) in contestants.items():
        size = sum(parameter.numel() for parameter in prior.parameters()) / 1e6
        print(f"{label:>8}: {statistics.median(seconds):.3f} s a step, {size:.2f} M parameters")
    print(f"   ratio: {statistics.median(ratios):.2f} (lowest {min(ratios):.2f}, highest {max(ratios):.2f})")


if __name__ == "__main__":
    main()
