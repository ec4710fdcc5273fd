"""Stacks of dilated convolutions, gated as in WaveNet (van den Oord et al., 2016) or residual, and noise embeddings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from .errors import UserError
from .precision import add_product, factor, product, rounds

EMBEDDING = 32  # size of the noise level's embedding
_CACHED = 16384  # samples (items x time)


M = TypeVar("M", bound=nn.Module)


class Modules(nn.ModuleList, Generic[M]):
    """torch's ModuleList, for modules of one type, which type checkers then know."""

    if TYPE_CHECKING:

        def __init__(self, modules: Iterable[M] = ()) -> None: ...
        def __iter__(self) -> Iterator[M]: ...
        def __getitem__(self, index: int) -> M: ...  # type: ignore[override]  # no slices


def zero(layer: nn.Module) -> None:
    """Set a layer's weights and biases to zero."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


def log_normal(standardised: Tensor) -> Tensor:
    """The log-density log N(.; 0, 1) of each element, in float64. Any shape."""
    return -0.5 * (standardised.double().square() + math.log(2 * math.pi))


def _taps(dilation: int, length: int) -> list[tuple[int, slice, slice]]:
    """Those of three taps that see an input in the frame: number, their output columns and their input columns."""
    return [
        (tap, slice(max(0, -offset), length - max(0, offset)), slice(max(0, offset), length + min(0, offset)))
        for tap, offset in enumerate((-dilation, 0, dilation))
        if abs(offset) < length
    ]


class _Row:
    """The frames of a batch, one after the other in one row, with zeros around each that are as wide as the taps reach.

    So a tap of all items is one matrix product, and its input is a shifted view. A tap as far away as the frame is long
    sees only zeros, and is left out.
    """

    def __init__(self, batch: int, length: int, offsets: tuple[tuple[int, ...], ...]):
        self.length, self.taps = length, [[(k, o) for k, o in enumerate(of) if abs(o) < length] for of in offsets]
        self.reach = max(abs(offset) for taps in self.taps for _, offset in taps)
        self.shape = (batch, length + (self.reach if batch > 1 else 0))
        self.columns = batch * self.shape[1]

    def new(self, like: Tensor, channels: int) -> tuple[Tensor, Tensor]:
        """An empty row with zeros at both ends, and the view of its middle, (channels, columns)."""
        whole = like.new_empty(channels, self.columns + 2 * self.reach)
        whole[:, : self.reach] = 0
        whole[:, self.reach + self.columns :] = 0
        return whole, self.view(whole, 0)

    def view(self, whole: Tensor, offset: int) -> Tensor:
        """The part of a row that a tap at this offset sees, (channels, columns)."""
        return whole.narrow(1, self.reach + offset, self.columns)

    def fill(self, middle: Tensor, frames: Tensor) -> None:
        """Write frames (B, channels, T) into the middle of a row."""
        middle.unflatten(1, self.shape)[:, :, : self.length] = frames.transpose(0, 1)
        self.clear(middle)

    def clear(self, middle: Tensor) -> None:
        """Write zeros between the frames."""
        if self.shape[1] > self.length:
            middle.unflatten(1, self.shape)[:, :, self.length :] = 0

    def frames(self, middle: Tensor) -> Tensor:
        """The frames in the middle of a row, (B, channels, T)."""
        return middle.unflatten(1, self.shape)[:, :, : self.length].transpose(0, 1).contiguous()


class _GatedStack(torch.autograd.Function):
    """The layers h <- h + R (tanh(F * h) . sigmoid(G * h)), and S, the sum of the skip connections from gated outputs.

    The whole stack is one function, as autograd over separate convolutions is slow on a CPU (see benchmarks/README.md).
    A dilated tap is a matrix product with a shifted view, without an unfolded copy. Filter and gate are one product,
    and so are the skip convolutions of all layers. tanh and sigmoid work in place. Only first derivatives exist.
    """

    @staticmethod
    def forward(ctx, inputs, filter_gate, filter_gate_bias, residual, residual_bias, skip, skip_bias, offsets, keep):
        batch, width, length = inputs.shape
        row, layers, rounded = _Row(batch, length, offsets), len(offsets), rounds(inputs.device)
        # tanh(a) = 2 sigmoid(2 a) - 1, as torch's sigmoid is several times as fast as its tanh on a CPU.
        twice = torch.cat([filter_gate.new_full((width, 1), 2.0), filter_gate.new_ones(width, 1)])
        doubled, doubled_bias = factor(filter_gate * twice, rounded), filter_gate_bias[:, :, None] * twice
        residual, skip = factor(residual, rounded), factor(skip, rounded)
        whole, hidden = row.new(inputs, width)
        row.fill(hidden, inputs)
        wholes, gates = [], []
        gated = inputs.new_empty(layers, width, row.columns)
        for layer in range(layers):
            both = doubled_bias[layer].expand(-1, row.columns).contiguous()  # (2W, columns)
            seen = factor(whole, rounded)
            for tap, offset in row.taps[layer]:
                add_product(both, doubled[layer, tap], row.view(seen, offset))
            both.sigmoid_()
            both[:width].mul_(2).sub_(1)
            torch.mul(both[:width], both[width:], out=gated[layer])
            if keep:
                wholes.append(seen)
                gates.append(both)
            if layer < layers - 1:  # the last layer's residual output is not used
                before = hidden
                if keep:
                    whole, hidden = row.new(inputs, width)
                torch.add(before, residual_bias[layer, :, None], out=hidden)
                row.clear(add_product(hidden, residual[layer], factor(gated[layer], rounded)))
        ctx.save_for_backward(factor(filter_gate, rounded), residual, skip, gated, *wholes, *gates)
        ctx.row, ctx.rounded = row, rounded
        skip_sum = skip_bias[:, None].expand(-1, row.columns).contiguous()
        return row.frames(add_product(skip_sum, skip, factor(gated.flatten(0, 1), rounded)))  # (B, S, T)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_skip_sum):
        filter_gate, residual, skip, gated, *saved = ctx.saved_tensors
        row, rounded, (layers, width, columns) = ctx.row, ctx.rounded, gated.shape
        wholes, gates = saved[:layers], saved[layers:]
        train = any(ctx.needs_input_grad[1:])  # Langevin needs the gradient in x only: half of the work
        gated_factor = factor(gated, rounded and train)  # factor of the products that give the weights' gradients
        grad_skip = gated.new_empty(len(skip), columns)
        row.fill(grad_skip, grad_skip_sum)
        grad_skip_factor = factor(grad_skip, rounded)
        grad_gated_all = product(skip.t(), grad_skip_factor, gated).view_as(gated)
        grad_hidden = gated.new_zeros(width, columns)  # gradient in the layer's output
        grad_filter_gate, grad_filter_gate_bias = gated.new_zeros(filter_gate.shape), gated.new_zeros(layers, 2 * width)
        grad_residual, grad_residual_bias = gated.new_zeros(residual.shape), gated.new_zeros(layers - 1, width)
        for layer in reversed(range(layers)):
            grad_gated, z = grad_gated_all[layer], gated[layer]
            if layer < layers - 1:
                grad_hidden_factor = factor(grad_hidden, rounded)
                add_product(grad_gated, residual[layer].t(), grad_hidden_factor)
                if train:
                    add_product(grad_residual[layer], grad_hidden_factor, gated_factor[layer].t())
                    torch.sum(grad_hidden, 1, out=grad_residual_bias[layer])
            tanh, sigmoid = gates[layer][:width], gates[layer][width:]
            whole, grad_both = row.new(gated, 2 * width)
            # d tanh = s (1 - t^2), d sigmoid = t s (1 - s); with z = t s: g (s - t z) and g z (1 - s)
            torch.mul(grad_gated, torch.addcmul(sigmoid, tanh, z, value=-1), out=grad_both[:width])
            torch.mul(grad_gated, torch.addcmul(z, z, sigmoid, value=-1), out=grad_both[width:])
            row.clear(grad_both)  # already zero, unless a frame beside it is not finite
            whole = factor(whole, rounded)
            for tap, offset in row.taps[layer]:
                add_product(grad_hidden, filter_gate[layer, tap].t(), row.view(whole, -offset))
                if train:
                    add_product(grad_filter_gate[layer, tap], row.view(whole, 0), row.view(wholes[layer], offset).t())
            row.clear(grad_hidden)
            if train:
                torch.sum(grad_both, 1, out=grad_filter_gate_bias[layer])
        grad_inputs = row.frames(grad_hidden)
        if not train:
            return grad_inputs, *[None] * 8
        return (
            grad_inputs, grad_filter_gate, grad_filter_gate_bias, grad_residual, grad_residual_bias,
            product(grad_skip_factor, gated_factor.flatten(0, 1).t(), gated), grad_skip.sum(1), None, None,
        )  # fmt: skip


class GatedStack(nn.Module):
    """Gated convolutions of dilation 1, 2, 4, ... in blocks; their outputs add up through skip connections.

    Parameters
    ----------
    width: channels of the input and of every layer.
    skip_width: channels of the output.
    layers: number of layers in a block; layer i has dilation 2^i.
    blocks: number of blocks.
    kernel_size: taps per layer.
    causal: whether an output sees inputs up to its own time only. Otherwise the taps lie symmetrically about it
        (kernel_size must be odd), with zeros beyond the frame.

    Shape: (B, width, T) -> (B, skip_width, T).
    """

    def __init__(self, width: int, skip_width: int, layers: int, kernel_size: int, *, causal: bool = False,
                 blocks: int = 1):  # fmt: skip
        super().__init__()
        if not causal and kernel_size % 2 == 0:
            raise UserError(f"a non-causal stack needs an odd kernel_size, not {kernel_size}")
        last = 0 if causal else (kernel_size - 1) // 2
        self.offsets = blocks * tuple(
            tuple((tap - (kernel_size - 1) + last) * 2**layer for tap in range(kernel_size)) for layer in range(layers)
        )
        layers *= blocks

        def uniform(*shape: int, fan_in: int) -> nn.Parameter:  # the law of torch's own convolutions
            return nn.Parameter((torch.rand(*shape) * 2 - 1) / fan_in**0.5)

        taps = kernel_size * width
        self.filter_gate = uniform(layers, kernel_size, 2 * width, width, fan_in=taps)
        self.filter_gate_bias = uniform(layers, 2 * width, fan_in=taps)
        # The last layer's residual output is not used, so it has no residual convolution.
        self.residual = uniform(layers - 1, width, width, fan_in=width)
        self.residual_bias = uniform(layers - 1, width, fan_in=width)
        self.skip = uniform(skip_width, layers * width, fan_in=layers * width)
        self.skip_bias = uniform(skip_width, fan_in=layers * width)

    def forward(self, hidden: Tensor) -> Tensor:
        """The sum of the skip connections. Shape: (B, width, T) -> (B, skip_width, T)."""
        # In pieces whose activations stay in a core's cache; a GPU takes the batch whole.
        length, reach = hidden.shape[2], max(abs(offset) for taps in self.offsets for offset in taps)
        # Long frames go one by one where zeros between them would be more than an eighth of the work.
        items = 1 if length >= 1024 and 8 * reach > length else max(1, _CACHED // length)
        if hidden.device.type != "cpu":
            items = hidden.shape[0]
        keep = torch.is_grad_enabled()  # the backward pass needs most of the memory
        parameters = (self.filter_gate, self.filter_gate_bias, self.residual, self.residual_bias)
        pieces = [
            _GatedStack.apply(piece, *parameters, self.skip, self.skip_bias, self.offsets, keep)
            for piece in hidden.split(items)
        ]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)

    def stepper(self, batch: int):
        """A function that runs the causal stack step by step: (hidden (B, width), time) -> skip sum (B, skip_width).

        Every layer keeps the inputs that its taps will see in a ring buffer. So every step costs the same. No
        gradients.
        """
        layers, _, _, width = self.filter_gate.shape
        taps = [
            (-offsets[0], [-offset for offset in offsets]) for offsets in self.offsets
        ]  # reach, and lag of each tap
        rings = [self.skip.new_zeros(reach, batch, width) for reach, _ in taps]
        filter_gate = self.filter_gate.detach().transpose(2, 3).flatten(1, 2).contiguous()  # (layers, taps W, 2 W)
        residual, skip = self.residual.detach().transpose(1, 2).contiguous(), self.skip.detach().t().contiguous()
        gated = self.skip.new_empty(batch, layers * width)
        products = gated.split(width, 1)

        def step(hidden: Tensor, now: int) -> Tensor:
            for layer, (reach, lags) in enumerate(taps):
                ring = rings[layer]
                seen = torch.cat([ring[(now - lag) % reach] for lag in lags[:-1]] + [hidden], 1)
                ring[now % reach] = hidden
                both = torch.addmm(self.filter_gate_bias[layer], seen, filter_gate[layer])
                torch.mul(torch.tanh(both[:, :width]), torch.sigmoid(both[:, width:]), out=products[layer])
                if layer < layers - 1:
                    hidden = torch.addmm(hidden, products[layer], residual[layer]).add_(self.residual_bias[layer])
            return torch.addmm(self.skip_bias, gated, skip)

        return step


class _ResidualStack(torch.autograd.Function):
    """The layers h <- h + silu((C * h) scale + shift), with C of three taps of dilation 2^i, in one function.

    Each item's scale is multiplied into its taps, which have fewer elements than the convolved wave.
    """

    @staticmethod
    def forward(ctx, hidden, weight, bias, scale, shift, keep):
        length = hidden.shape[2]
        rounded = rounds(hidden.device)
        scaled = factor(weight[:, :, None] * scale.transpose(0, 1)[:, None, :, :, None], rounded)  # (L, 3, B, W, W)
        shifted = torch.addcmul(shift, scale, bias)  # (B, L, W)
        hiddens, convolved = [], []
        for layer in range(len(weight)):
            conv = shifted[:, layer, :, None].expand(-1, -1, length).contiguous()  # (B, W, T)
            seen = factor(hidden, rounded)
            for tap, out, into in _taps(2**layer, length):
                add_product(conv[:, :, out], scaled[layer, tap], seen[:, :, into])
            if keep:
                hiddens.append(seen)
                convolved.append(conv)
            hidden = functional.silu(conv, inplace=not keep).add_(hidden)
        ctx.save_for_backward(weight, bias, scale, scaled, *hiddens, *convolved)
        ctx.rounded = rounded
        return hidden

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        weight, bias, scale, scaled, *saved = ctx.saved_tensors
        layers = len(weight)
        hiddens, convolved = saved[:layers], saved[layers:]
        length = grad.shape[2]
        train = any(ctx.needs_input_grad[1:])
        grad = grad.clone()
        grad_scaled, grad_shift = grad.new_zeros(scaled.shape), torch.empty_like(scale)
        for layer in reversed(range(layers)):
            piece = torch.ops.aten.silu_backward(grad, convolved[layer])
            if train:
                torch.sum(piece, 2, out=grad_shift[:, layer])
            piece = factor(piece, ctx.rounded)
            for tap, out, into in _taps(2**layer, length):
                add_product(grad[:, :, into], scaled[layer, tap].transpose(1, 2), piece[:, :, out])
                if train:
                    seen = hiddens[layer][:, :, into]
                    add_product(grad_scaled[layer, tap], piece[:, :, out], seen.transpose(1, 2))
        if not train:
            return grad, *[None] * 5
        grad_weight = (grad_scaled * scale.transpose(0, 1)[:, None, :, :, None]).sum(2)
        grad_scale = torch.addcmul((grad_scaled * weight[:, :, None]).sum((1, 4)).transpose(0, 1), grad_shift, bias)
        return grad, grad_weight, (grad_shift * scale).sum(0), grad_scale, grad_shift, None


class ResidualStack(nn.Module):
    """Residual, non-causal convolutions of dilation 1, 2, 4, ...; each is scaled and shifted by an embedding.

    width: channels of the input, of every layer, and of the output.

    Shape: (B, width, T), (B, EMBEDDING) -> (B, width, T).
    """

    def __init__(self, width: int, layers: int):
        super().__init__()
        fan_in = 3 * width
        self.weight = nn.Parameter((torch.rand(layers, 3, width, width) * 2 - 1) / fan_in**0.5)
        self.bias = nn.Parameter((torch.rand(layers, width) * 2 - 1) / fan_in**0.5)
        self.modulation = nn.Linear(EMBEDDING, 2 * layers * width)
        zero(self.modulation)

    def forward(self, hidden: Tensor, embedded: Tensor) -> Tensor:
        """The last layer's output. Shape: (B, width, T), (B, EMBEDDING) -> (B, width, T)."""
        layers, _, width, _ = self.weight.shape
        scale, shift = self.modulation(embedded).view(-1, 2, layers, width).unbind(1)
        return _ResidualStack.apply(hidden, self.weight, self.bias, 1 + scale, shift, torch.is_grad_enabled())


class _NoiseFeatures(nn.Module):
    """Sines and cosines of log sigma, with periods from 50 to 0.4 nats. Shape: (B, 1) -> (B, 16)."""

    def forward(self, sigma: Tensor) -> Tensor:
        angles = sigma.log() * 2.0 ** torch.arange(-3, 5, device=sigma.device, dtype=sigma.dtype)
        return torch.cat([torch.sin(angles), torch.cos(angles)], 1)


def embedding_of_noise() -> nn.Module:
    """A network that embeds the noise level. Shape: (B, 1) -> (B, EMBEDDING)."""
    return nn.Sequential(_NoiseFeatures(), nn.Linear(16, EMBEDDING), nn.SiLU(), nn.Linear(EMBEDDING, EMBEDDING))
