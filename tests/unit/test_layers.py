"""The fused stack against the textbook's separate convolutions."""

import pytest
import torch
from audiopriors.layers import EMBEDDING, GatedStack, ResidualStack
from torch.nn import functional

CASES = [(False, 3), (False, 5), (True, 2), (True, 3)]


def textbook(stack: GatedStack, hidden, causal: bool, kernel_size: int):
    """Figure 5 of the paper and Figure 4 of van den Oord et al. (2016), convolution by convolution."""
    width, total = hidden.shape[1], 0
    for layer in range(len(stack.offsets)):
        dilation = 2**layer
        reach = (kernel_size - 1) * dilation
        padded = functional.pad(hidden, (reach, 0) if causal else (reach // 2, reach // 2))
        both = functional.conv1d(
            padded, stack.filter_gate[layer].permute(1, 2, 0), stack.filter_gate_bias[layer], dilation=dilation
        )
        gated = torch.tanh(both[:, :width]) * torch.sigmoid(both[:, width:])
        skip = stack.skip[:, layer * width : (layer + 1) * width]
        total = total + functional.conv1d(gated, skip[..., None])
        if layer < len(stack.offsets) - 1:
            residual = stack.residual[layer][..., None]
            hidden = hidden + functional.conv1d(gated, residual, stack.residual_bias[layer])
    return total + stack.skip_bias[:, None]


@pytest.mark.parametrize(("causal", "kernel_size"), CASES)
# Shorter than the reach, longer, more than one chunk, and frames that go one by one.
@pytest.mark.parametrize(("length", "layers"), [(1, 4), (7, 4), (40, 4), (70_000, 4), (1030, 8)])
def test_same_as_textbook(causal, kernel_size, length, layers):
    torch.manual_seed(0)
    stack = GatedStack(2, 3, layers, kernel_size, causal=causal).double()
    hidden = torch.randn(3, 2, length, dtype=torch.double, requires_grad=True)
    ours, theirs = stack(hidden), textbook(stack, hidden, causal, kernel_size)
    torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)
    inputs = [hidden, *stack.parameters()]
    weight = torch.randn_like(ours)
    for mine, other in zip(
        torch.autograd.grad((ours * weight).sum(), inputs),
        torch.autograd.grad((theirs * weight).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize(("causal", "kernel_size"), CASES)
def test_gradients(causal, kernel_size):
    torch.manual_seed(0)
    stack = GatedStack(2, 3, 3, kernel_size, causal=causal).double()
    names = [name for name, _ in stack.named_parameters()]

    def run(hidden, *parameters):
        return torch.func.functional_call(stack, dict(zip(names, parameters, strict=True)), (hidden,))

    hidden = torch.randn(2, 2, 9, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(run, (hidden, *stack.parameters()))


@pytest.mark.parametrize(("causal", "kernel_size"), CASES)
def test_a_frame_that_is_not_finite_leaves_the_others_alone(causal, kernel_size):
    torch.manual_seed(0)
    stack = GatedStack(2, 3, 4, kernel_size, causal=causal).double().requires_grad_(False)
    hidden = torch.randn(3, 2, 40, dtype=torch.double)
    broken = hidden.clone()
    broken[1] = torch.nan

    def value_and_gradient(hidden):
        hidden.requires_grad_(True)
        value = stack(hidden)
        return value.detach(), *torch.autograd.grad(value.square().sum(), hidden)

    for right, ours in zip(value_and_gradient(hidden), value_and_gradient(broken), strict=True):
        torch.testing.assert_close(ours[::2], right[::2], rtol=1e-11, atol=1e-11)
        assert ours[1].isnan().any()


def test_causal_sees_no_future():
    torch.manual_seed(0)
    stack = GatedStack(2, 3, 4, 3, causal=True).double()
    hidden = torch.randn(1, 2, 50, dtype=torch.double, requires_grad=True)
    (gradient,) = torch.autograd.grad(stack(hidden)[:, :, 30].sum(), hidden)
    assert (gradient[:, :, 31:] == 0).all()
    assert (gradient[:, :, 30 - 30 : 31] != 0).any(1).all()  # receptive field: 2 (1 + 2 + 4 + 8) samples back


def test_even_kernel_must_be_causal():
    with pytest.raises(ValueError, match="odd kernel_size"):
        GatedStack(2, 2, 2, 2)


def residual_textbook(stack: ResidualStack, hidden, embedded):
    layers, _, width, _ = stack.weight.shape
    scale, shift = stack.modulation(embedded).view(-1, 2, layers, width, 1).unbind(1)
    for layer in range(layers):
        conv = functional.conv1d(
            hidden, stack.weight[layer].permute(1, 2, 0), stack.bias[layer], padding=2**layer, dilation=2**layer
        )
        hidden = hidden + functional.silu(conv * (1 + scale[:, layer]) + shift[:, layer])
    return hidden


@pytest.mark.parametrize("length", [1, 7, 40])
def test_residual_stack_is_the_textbooks(length):
    torch.manual_seed(0)
    stack = ResidualStack(3, 4).double()
    torch.nn.init.normal_(stack.modulation.weight)
    hidden = torch.randn(2, 3, length, dtype=torch.double, requires_grad=True)
    embedded = torch.randn(2, EMBEDDING, dtype=torch.double, requires_grad=True)
    ours, theirs = stack(hidden, embedded), residual_textbook(stack, hidden, embedded)
    torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)
    inputs, weight = [hidden, embedded, *stack.parameters()], torch.randn_like(ours)
    for mine, other in zip(
        torch.autograd.grad((ours * weight).sum(), inputs),
        torch.autograd.grad((theirs * weight).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-9)
    with torch.no_grad():
        torch.testing.assert_close(stack(hidden, embedded), theirs, rtol=1e-11, atol=1e-11)
