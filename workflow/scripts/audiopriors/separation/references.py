"""Reference estimates that separations are compared with. A kind of data names its own (`Frames.references`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from ..audio.spectra import masked, spectra
from ..data.base import Frames
from ..errors import UserError
from ..seeds import torch_generator

if TYPE_CHECKING:
    from ..data import toy

# data, mix, true sources (N, B, 1, T), their mix M (B, 1, T), items (B,) -> estimates (N, B, 1, T)
Reference = Callable[[Frames, dict, Tensor, Tensor, Tensor], Tensor]


def estimates(data: Frames, mix: dict, truth: Tensor, total: Tensor, items: Tensor) -> dict[str, Tensor]:
    """The mix M itself as estimate of each source, and the references of that kind of data: by name, (N, B, 1, T).

    M has its sources at their own levels, as an estimate should: it is their sum also where the data's mix is a mean.
    SI-SDR does not see the scale, but BSSEval does. truth, total: the result of `data.mixed` for these
    test items, (N, B, 1, T) and M (B, 1, T).

    Raises
    ------
    UserError: the data name a reference that does not exist.
    """
    for name in data.references:
        if name not in REFERENCES:
            raise UserError(f"there is no reference {name!r}: there are {', '.join(REFERENCES)}")
    others = {name: REFERENCES[name](data, mix, truth, total, items) for name in data.references}
    return {"mix": total.expand_as(truth), **others}


def amplitudes_by_least_squares(waves: Tensor, mix: Tensor) -> Tensor:
    """Estimates by least squares for the amplitudes, given every source's true wave at amplitude 1.

    They show what frequency and phase are worth. waves (N, B, 1, T), mix M (B, 1, T) -> estimates (N, B, 1, T).
    """
    basis = waves[:, :, 0].permute(1, 2, 0).double()  # (B, T, N)
    # The pseudo-inverse, as two waves in unison have no unique amplitudes.
    amplitudes = torch.linalg.pinv(basis) @ mix.double().transpose(1, 2)  # (B, N, 1)
    return (waves.double() * amplitudes.permute(1, 0, 2)[..., None]).to(waves)


def parametric_oracle(data: Frames, mix: dict, truth: Tensor, total: Tensor, items: Tensor) -> Tensor:
    """An oracle that knows every frequency and phase. The data must have `unit_waves`."""
    waves = cast("toy.Frames", data).unit_waves(mix, items, total.shape[2])
    return amplitudes_by_least_squares(waves, total).float()


def static_wiener(data: Frames, mix: dict, truth: Tensor, total: Tensor, items: Tensor) -> Tensor:
    """A mask from the sources' long-term average power spectra over training frames."""
    average = []
    for source, gain in zip(mix["sources"], mix["gains"], strict=True):
        drawn = data.draw(source, 256, total.shape[2], torch_generator("static_wiener", source))
        average.append(gain**2 * spectra(drawn[:, 0]).abs().square().mean((0, 2), keepdim=True))
    return masked(torch.stack(average), total)


def ideal_ratio_mask(data: Frames, mix: dict, truth: Tensor, total: Tensor, items: Tensor) -> Tensor:
    """An oracle: a mask from the true sources' magnitudes."""
    return masked(torch.stack([spectra(one[:, 0]).abs() for one in truth]), total)


def ideal_power_mask(data: Frames, mix: dict, truth: Tensor, total: Tensor, items: Tensor) -> Tensor:
    """An oracle: a mask from the true sources' powers, as a Wiener filter has (Erdogan et al., 2015).

    It is usually better than that from magnitudes, which is no ceiling.
    """
    return masked(torch.stack([spectra(one[:, 0]).abs().square() for one in truth]), total)


REFERENCES: dict[str, Reference] = {
    reference.__name__: reference
    for reference in (parametric_oracle, static_wiener, ideal_ratio_mask, ideal_power_mask)
}
