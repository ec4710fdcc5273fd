"""Score priors of music in coloured noise."""

import pytest
import torch
from audiopriors.audio.spectra import spectra, waves
from audiopriors.checkpoints import build_prior
from audiopriors.priors.score_music import CORNER, _Dense
from families import MUSIC, SCORE, prior_of


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def test_coloured_noise_has_its_power():
    prior = build_prior("score_music", MUSIC | {"colour": 0.75}).double()
    noise = prior.coloured(torch.randn(2000, 1, 256, dtype=torch.double))
    assert noise.std().item() == pytest.approx(1, rel=0.02)
    frequencies = torch.arange(129, dtype=torch.double) / 256
    power = torch.fft.rfft(noise).abs().square().mean((0, 1))
    shape = (frequencies**2 + CORNER**2) ** -0.75
    torch.testing.assert_close(power / power[10], shape / shape[10], rtol=0.15, atol=0)


def test_other_priors_know_white_noise():
    white = torch.randn(3, 1, 64)
    for family, model in (("score", SCORE), ("score_music", MUSIC | {"coloured_items": 0.0})):
        prior = build_prior(family, model)
        assert not prior.has_colour and prior.coloured(white) is white
        with torch.no_grad():
            assert torch.equal(prior.restore(white, 0.3), prior.denoise(white, 0.3))


def test_an_untrained_prior_is_the_static_wiener_filter_of_each_noise():
    prior = build_prior("score_music", MUSIC)
    clean = prior.coloured(torch.randn(64, 1, 512)) * 0.2
    prior.initialise(clean, clean, torch.full((64,), 0.3))
    x, power = torch.randn(2, 1, 512), prior.average[:, None]
    for restored, noise in ((prior.restore(x, 0.3), 0.09 * prior.colour), (prior.denoise(x, 0.3), 0.09)):
        filtered = waves(power / (power + noise) * spectra(x[:, 0], MUSIC["window"]), 512, MUSIC["window"])
        torch.testing.assert_close(restored[:, 0], filtered)


def test_dense_layers_mix_all_bins_of_one_time_and_channel():
    layers, hidden = _Dense(8, 3).double(), torch.randn(2, 4, 8, 5, dtype=torch.double)
    assert torch.equal(layers(hidden), hidden)  # before training
    torch.nn.init.normal_(layers.second.weight)
    along = hidden.transpose(2, 3)
    expected = along + layers.second(torch.nn.functional.silu(layers.first(along)))
    for memory in (torch.contiguous_format, torch.channels_last):
        torch.testing.assert_close(layers(hidden.contiguous(memory_format=memory)), expected.transpose(2, 3))


def test_of_a_long_wave_it_sees_what_is_near():
    prior = prior_of("score_music", MUSIC)
    assert prior.takes_long_waves
    # Two 3 x 3 convolutions in each of four blocks, one before and one after them; and the windows.
    reach, step = 10 * MUSIC["window"] // 4 + MUSIC["window"], MUSIC["window"] // 4
    x = torch.randn(2, 1, 64 * step, dtype=torch.double)
    middle = slice(32 * step, 33 * step)
    whole = prior.restore(x, 0.3)[..., middle]
    for context, same in ((reach, True), (reach // 4, False)):
        window = x[..., middle.start - context : middle.stop + context]
        assert torch.equal(prior.restore(window, 0.3)[..., context : context + step], whole) == same


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_that_share_of_training_items_has_coloured_noise(share, monkeypatch):
    prior = build_prior("score_music", MUSIC | {"coloured_items": share})
    clean, white = 0.1 * torch.randn(400, 1, 64), torch.randn(400, 1, 64)
    sigma = torch.linspace(0.1, 1, 400)
    seen = []

    def filtered(x, level, colour):
        seen.append((x, level, colour))
        return x

    monkeypatch.setattr(prior, "filtered", filtered)
    x = clean + sigma[:, None, None] * white
    prior.loss(x, clean, sigma)
    prior.loss(x, clean, sigma)
    (x, level, colour), again = seen
    assert all(torch.equal(one, other) for one, other in zip(again, seen[0], strict=True))
    chosen = (colour - prior.colour).abs().amax((1, 2)) == 0
    assert chosen.double().mean().item() == pytest.approx(share, abs=0.1)
    expected = torch.where(chosen[:, None, None], prior.coloured(white), white)
    torch.testing.assert_close((x - clean) / level, expected, rtol=1e-3, atol=1e-4)


def test_training_lowers_the_error_in_both_noises():
    """A source that is loud or silent by turns: the U-Net tells which, in either noise."""
    prior = build_prior("score_music", MUSIC | {"width": 4})
    optimiser = torch.optim.Adam(prior.parameters(), 1e-2)

    def batch(number):
        loud = torch.randint(2, (number, 1, 1)).float()
        return loud * prior.coloured(torch.randn(number, 1, 128))

    clean = batch(64)
    prior.initialise(clean, clean, torch.full((64,), 0.3))
    test = batch(64)

    def errors():
        with torch.no_grad():
            white = torch.randn(test.shape)
            return [
                (prior.restore(test + 0.3 * prior.coloured(white), 0.3) - test).square().mean().item(),
                (prior.denoise(test + 0.3 * white, 0.3) - test).square().mean().item(),
            ]

    before = errors()
    for _ in range(60):
        clean = batch(16)
        optimiser.zero_grad()
        prior.loss(clean + 0.3 * torch.randn(clean.shape), clean, torch.full((16,), 0.3)).backward()
        optimiser.step()
    assert all(after < 0.8 * error for after, error in zip(errors(), before, strict=True))
