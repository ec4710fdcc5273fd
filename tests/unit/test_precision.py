"""Rounded products are close to those of float32, no sum is rounded, and nothing is outside a training."""

import pytest
import torch
from audiopriors import precision
from audiopriors.layers import EMBEDDING, GatedStack, ResidualStack
from audiopriors.precision import add_product, convolve, factor, product, products_of
from torch import nn


@pytest.fixture(params=[True, False], ids=["with bfloat16", "without"])
def multiplies(request, monkeypatch):
    """Whether the machine is said to multiply bfloat16."""
    monkeypatch.setattr(precision, "_multiplies_bfloat16", lambda kind: request.param)
    return request.param


def error(one, right) -> float:
    return ((one - right).norm() / right.norm()).item()


class Convolved(nn.Module):
    def __init__(self, convolution):
        super().__init__()
        self.convolution = convolution

    def forward(self, x):
        return convolve(self.convolution, x)


MODULES = {
    "gated": (lambda: GatedStack(16, 24, 4, 3), [(3, 16, 200)]),
    "causal": (lambda: GatedStack(16, 24, 4, 2, causal=True, blocks=2), [(3, 16, 200)]),
    "residual": (lambda: ResidualStack(16, 4), [(3, 16, 200), (3, EMBEDDING)]),
    "convolution": (lambda: Convolved(nn.Conv2d(16, 24, 3, padding=1)), [(3, 16, 20, 10)]),
    "transposed": (lambda: Convolved(nn.ConvTranspose2d(16, 24, (4, 1), stride=(4, 1))), [(3, 16, 20, 10)]),
}


@pytest.mark.parametrize("name", MODULES)
def test_layers_round_what_they_multiply(name, multiplies):
    torch.manual_seed(0)
    build, shapes = MODULES[name]
    module, inputs = build(), [torch.randn(shape, requires_grad=True) for shape in shapes]
    if name == "residual":
        nn.init.normal_(module.modulation.weight, std=0.1)
    weight = torch.randn_like(module(*inputs))

    def results():
        value = module(*inputs)
        return [value, *torch.autograd.grad((value * weight).sum(), [*inputs, *module.parameters()])]

    exact = results()
    with products_of("bfloat16"):
        rounded = results()
    assert all(torch.equal(one, other) for one, other in zip(results(), exact, strict=True))
    errors = [error(one, right) for one, right in zip(rounded, exact, strict=True)]
    assert all(one.dtype == torch.float32 for one in rounded)
    if multiplies:
        assert 1e-3 < errors[0] < 1e-2 and 0 < max(errors) < 2e-2
    else:
        assert max(errors) == 0


def test_sums_are_not_rounded():
    total = torch.full((2, 3), 1000.0)  # beside which bfloat16 does not see less than 4
    left, right = factor(torch.full((2, 4), 0.5), True), factor(torch.full((4, 3), 0.5), True)
    assert left.dtype == torch.bfloat16
    for _ in range(10):
        add_product(total, left, right)
    assert torch.equal(total, torch.full((2, 3), 1010.0))
    batch = torch.zeros(5, 2, 3)
    add_product(batch, left.expand(5, -1, -1), right.expand(5, -1, -1))
    assert torch.equal(batch, torch.ones(5, 2, 3))
    assert product(left, right, total).dtype == torch.float32


def test_only_a_training_rounds(multiplies):
    cpu = torch.device("cpu")
    with pytest.raises(ZeroDivisionError), products_of("bfloat16"):
        assert precision.rounds(cpu) == multiplies
        with products_of("float32"):
            assert not precision.rounds(cpu)
        assert precision.rounds(cpu) == multiplies
        raise ZeroDivisionError
    assert not precision.rounds(cpu)
