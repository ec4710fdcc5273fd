"""From the sources of the channels' mean to those of each channel."""

import pytest
import torch
from audiopriors.metrics import si_sdr
from audiopriors.separation.channels import spread

LENGTH = 32768


def drawn(number: int, batch: int = 2) -> torch.Tensor:
    """Sources (N, B, 1, T) of bursts of noise, so that each is alone at times, and others are not silent."""
    generator = torch.Generator().manual_seed(0)
    loud = torch.rand(number, batch, 1, LENGTH // 2048, generator=generator).square().repeat_interleave(2048, 3)
    return loud * torch.randn(number, batch, 1, LENGTH, generator=generator)


def leaking(sources: torch.Tensor, share: float = 0.2) -> torch.Tensor:
    """Estimates with that share of the other sources, which add up as the sources do."""
    return (1 - share) * sources + share * sources.mean(0)


def panned(number: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Sources of the mean (N, B, 1, T), and their images (N, C, B, 1, T)."""
    gains = 0.2 + 1.6 * torch.rand(number, channels, generator=torch.Generator().manual_seed(1))
    images = gains[:, :, None, None, None] * drawn(number)[:, None]
    return images.mean(1), images


def sdr(estimates: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """In dB, not scale-invariant: how loud a source is in a channel is what is to be found. (..., T) -> (...)."""
    return 10 * (truth.square().sum(-1) / (estimates - truth).square().sum(-1)).log10()


@pytest.mark.parametrize(("number", "channels"), [(2, 2), (4, 2), (3, 6), (4, 8)])
def test_panned_sources_keep_their_places(number, channels):
    sources, images = panned(number, channels)
    mixes = images.sum(0)
    assert sdr(spread(sources, mixes), images).min() > 15 and sdr(spread(sources, mixes), images).mean() > 30
    estimates = leaking(sources)
    placed, copied = spread(estimates, mixes), estimates[:, None].expand_as(images)
    assert sdr(placed, images).mean() > sdr(copied, images).mean() + 3
    estimated, right = (wave.square().mean((-2, -1)).sqrt() for wave in (placed, images))  # levels
    torch.testing.assert_close(estimated, right, rtol=0.1, atol=0.1)


def test_a_source_of_several_places_is_nearer_than_its_copy():
    """Low sounds on the left, high ones on the right, as at a piano: no copy of the mean has that."""
    low, high, other = torch.fft.rfft(drawn(3)[:, :, 0]).unbind(0)
    low[:, LENGTH // 8 :], high[:, : LENGTH // 8] = 0, 0
    parts = torch.fft.irfft(torch.stack([low, high, other]))[:, :, None]
    images = torch.stack([torch.stack([1.6 * parts[0] + 0.4 * parts[1], 0.4 * parts[0] + 1.6 * parts[1]]),
                          torch.stack([parts[2]] * 2)])  # fmt: skip
    estimates = leaking(images.mean(1))
    placed, copied = spread(estimates, images.sum(0)), estimates[:, None].expand_as(images)
    assert (si_sdr(placed, images)[0] > si_sdr(copied, images)[0] + 3).all()


@pytest.mark.parametrize("channels", [2, 3, 8])
def test_images_add_up_as_estimates_do(channels):
    sources, images = panned(3, channels)
    mixes, missing = images.sum(0), 0.1 * drawn(1)[0]
    estimates = leaking(sources) - missing / 3
    placed = spread(estimates, mixes)
    torch.testing.assert_close(placed.mean(1), estimates, atol=1e-4, rtol=0)
    torch.testing.assert_close(placed.sum(0), mixes - missing, atol=1e-4, rtol=0)


def test_one_channel_is_returned_as_it_is():
    estimates = leaking(drawn(3)) + 0.1
    assert torch.equal(spread(estimates, drawn(3).sum(0, keepdim=True)), estimates[:, None])


@pytest.mark.parametrize("channels", [2, 3])
def test_equal_channels_have_equal_images(channels):
    estimates = leaking(drawn(3))
    placed = spread(estimates, drawn(3).sum(0).expand(channels, -1, -1, -1))
    assert all(torch.equal(one, placed[:, 0]) for one in placed.unbind(1))
    torch.testing.assert_close(placed[:, 0], estimates, atol=1e-4, rtol=0)


def test_a_silent_channel_has_silent_images():
    sources = drawn(3)
    mixes = torch.stack([2 * sources.sum(0), torch.zeros_like(sources[0])])
    placed = spread(leaking(sources), mixes)
    assert placed[:, 1].square().mean() < 1e-3 * placed[:, 0].square().mean()
    torch.testing.assert_close(placed.sum(0), mixes, atol=1e-4, rtol=0)


def test_where_the_mean_is_silent_the_sources_share_the_channels():
    side = drawn(1)[0]
    placed = spread(torch.zeros(2, *side.shape), torch.stack([side, -side]))
    torch.testing.assert_close(placed[0], torch.stack([side, -side]) / 2, atol=1e-4, rtol=0)
    assert spread(torch.zeros(2, *side.shape), torch.zeros(3, *side.shape)).abs().max() == 0
