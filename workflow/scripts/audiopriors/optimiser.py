"""The optimiser of every training: Adam, with a moving average of the weights."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.optim.adam import adam


class Adam:
    """torch's Adam (Kingma & Ba, 2014) in its functional form: importing torch.optim.Adam would take 3 s.

    average: the decay of the weights' exponential average, which is kept beside the weights; 0: no average.
    """

    def __init__(self, model: nn.Module, beta2: float, average: float = 0.0):
        self.parameters: list[Tensor] = list(model.parameters())
        self.beta2, self.average = beta2, average
        self.state = {  # as in torch.optim.Adam
            "exp_avg": [torch.zeros_like(parameter) for parameter in self.parameters],
            "exp_avg_sq": [torch.zeros_like(parameter) for parameter in self.parameters],
            "step": [torch.zeros(()) for _ in self.parameters],
        }
        if average:
            self.state["average"] = [torch.zeros_like(parameter) for parameter in self.parameters]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Take one step along the parameters' gradients."""
        on_gpu = self.parameters[0].is_cuda  # on a CPU the fused step takes a tenth of the plain one's time
        gradients = [cast(Tensor, parameter.grad) for parameter in self.parameters]
        adam(
            self.parameters, gradients, self.state["exp_avg"], self.state["exp_avg_sq"], [], self.state["step"],
            foreach=on_gpu, fused=not on_gpu, amsgrad=False, beta1=0.9, beta2=self.beta2, lr=rate, weight_decay=0.0,
            eps=1e-8, maximize=False,
        )  # fmt: skip
        if self.average:
            taken = self.state["step"][0].item()  # after few steps the average is short, so that the start fades
            weight = 1 - min(self.average, (taken - 1) / (taken + 9))
            torch._foreach_lerp_(self.state["average"], self.parameters, weight)

    def swap_average(self) -> None:
        """Exchange the weights and their average, if there is one."""
        for parameter, average in zip(self.parameters, self.state.get("average", []), strict=False):
            parameter.data, average.data = average.data, parameter.data
