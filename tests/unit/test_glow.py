"""The flow on spectral representations: the MDCT, of which it is a density, and log-mel spectrograms, of which not."""

import math

import pytest
import torch
from audiopriors.audio.mel import FLOOR, RATE, log_mel, window_of
from audiopriors.checkpoints import build_prior
from audiopriors.errors import UserError
from audiopriors.likelihood import measure
from families import CASES, GLOW, prior_of, waves

MEL = GLOW | {"representation": "mel"}


@pytest.mark.parametrize("model", [*(model for model, _ in CASES["glow"]), MEL])
def test_change_of_variables(model):
    """log p(y) = log N(z) + log|det dz/dy| with the Jacobian from autograd; y is the wave, or its spectrogram."""
    prior, x = prior_of("glow", model), waves(3, 32)
    y = x
    if model["representation"] == "mel":
        y = prior.represented(x)
        prior.represented = lambda y: y

    def latents(y):
        return torch.cat([z.flatten() for z in prior.transform(y)[0]])

    (values,) = {name: of for name, of in prior.measures(y, 0.3).items() if name != "latent_log_prob"}.values()
    for one, value in zip(y.split(1), values, strict=True):
        size = one.numel()
        jacobian = torch.autograd.functional.jacobian(latents, one).reshape(size, size)
        normal = -0.5 * (latents(one).square() + math.log(2 * math.pi)).sum()
        expected = normal + torch.linalg.slogdet(jacobian).logabsdet
        torch.testing.assert_close(value, expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("model", [model for model, _ in CASES["glow"]])
def test_inverse(model):
    prior, x = prior_of("glow", model), waves(3, 32)
    torch.testing.assert_close(prior.inverse(prior.transform(x)[0]), x, rtol=0, atol=1e-9)


def test_samples_are_of_its_own_law():
    """The mean of log p over its samples is minus the entropy: of normal latents less the mean log-determinant."""
    prior, n = prior_of("glow", GLOW, spread=0.05), 4000
    x = prior.sample(n, 32, 0.3, torch.Generator().manual_seed(3))
    latents, latent_log_prob, log_det = prior.transform(x)
    z = torch.cat([latent.flatten(1) for latent in latents], 1)
    torch.testing.assert_close(z.mean(0), torch.zeros(32, dtype=torch.double), rtol=0, atol=4.5 / n**0.5)
    torch.testing.assert_close(torch.cov(z.T), torch.eye(32, dtype=torch.double), rtol=0, atol=5 * (2 / n) ** 0.5)
    assert torch.equal(prior.log_prob(x, 0.3), latent_log_prob + log_det)


def test_it_integrates_to_one():
    """Over R^4 by importance sampling: E_q[p / q] = 1 with q a wide Gaussian around samples of p."""
    prior = prior_of("glow", GLOW | {"bins": 2, "blocks": 1}, spread=0.1)
    drawn = prior.sample(20_000, 4, 0.0, torch.Generator().manual_seed(0))[:, 0]
    q = torch.distributions.MultivariateNormal(drawn.mean(0), 1.5 * torch.cov(drawn.T))
    torch.manual_seed(0)
    points = q.sample((200_000,))
    ratio = torch.exp(prior.log_prob(points[:, None], 0.0) - q.log_prob(points))
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / len(ratio) ** 0.5 < 0.05


def test_the_map_puts_each_latent_at_its_time_span():
    """With couplings that do nothing, a change of a wave is seen where its windows are, also without noise."""
    prior, x = build_prior("glow", GLOW).double(), waves(1, 128)
    changed = x.clone()
    changed[..., 49:63] += 0.5  # of the windows that begin at 44 to 60, so of the spans of 16 that begin at 32 and 48
    differs = (prior.log_prob_map(changed, 0.0) != prior.log_prob_map(x, 0.0))[0].nonzero()[:, 0]
    assert 32 <= differs.min() <= 48 and 62 < differs.max() < 80
    with pytest.raises(UserError, match="no density of the waveform"):
        prior_of("glow", MEL).log_prob_map(x, 0.0)


@pytest.mark.parametrize("model", [GLOW, MEL])
def test_initialises_on_data(model):
    prior = prior_of("glow", model, spread=0.0)
    x = 3 + 2 * torch.randn(64, 1, 64, dtype=torch.double)
    prior.initialise(x, x, 0.0)
    standardised = ((prior.represented(x) - prior.level) / prior.spectrum).transpose(0, 2).flatten(1)  # (bins, rest)
    ones = torch.ones(4, dtype=torch.double)
    torch.testing.assert_close(standardised.mean(1), 0 * ones, rtol=0, atol=1e-9)
    torch.testing.assert_close(standardised.std(1), ones, rtol=0, atol=1e-9)
    last = prior.transform(x)[0][-1]  # ActNorm and a rotation of all channels
    assert last.mean().abs() < 1e-9 and abs(last.square().mean() - 1) < 0.01


def test_frames_and_bins_that_cannot_be_squeezed():
    zeros = torch.zeros(1, 1, 40, dtype=torch.double)
    with pytest.raises(UserError, match="2 blocks and 4 bins needs frames of a multiple of 16 samples, not 40"):
        prior_of("glow", GLOW).log_prob(zeros, 0.3)
    with pytest.raises(UserError, match="2 blocks and 4 bins needs frames of a multiple of 32 samples, not 40"):
        prior_of("glow", MEL).measures(zeros, 0.3)
    with pytest.raises(UserError, match="2 blocks needs bins of a multiple of 4, not 6"):
        prior_of("glow", GLOW | {"bins": 6}).sample(1, 48, 0.3, torch.Generator())


def test_spectrograms_have_ratios_only():
    """No density of waves, so nothing that takes log_prob for one sees it: gate, truth gap, gradients, samplers."""
    prior, x = prior_of("glow", MEL), waves(4, 64)
    values = measure(prior, x, 0.3, 128, torch.device("cpu"))
    assert set(values) == {"mel_log_prob"} and values["mel_log_prob"].shape == (4,)
    torch.testing.assert_close(torch.as_tensor(values["mel_log_prob"]).mean() / -64, prior.loss(x, x, 0.3))
    for call in (prior.log_prob, prior.score, prior.denoise):
        with pytest.raises(UserError, match="no density of the waveform"):
            call(x, 0.3)
    with pytest.raises(UserError, match="cannot be sampled"):
        prior.sample(2, 64, 0.3, torch.Generator())


def test_spectrograms_do_not_know_the_phase():
    time = torch.arange(4096, dtype=torch.double) / RATE
    tones = torch.stack([torch.sin(2 * torch.pi * 1000 * time + phase) for phase in (0.0, 1.0, 2.0)])
    inner = log_mel(tones, 32)[..., 4:-4]
    torch.testing.assert_close(inner[0], inner[1], rtol=0, atol=1e-4)
    torch.testing.assert_close(inner[0], inner[2], rtol=0, atol=1e-4)


@pytest.mark.parametrize("bands", [4, 16, 32, 128])
def test_a_spectrogram_sees_every_frequency_and_silence(bands):
    """Every band hears white noise, a tone is loudest in the band about it, and silence has the floor."""
    window, noise = window_of(bands), torch.randn(1, 64 * bands, generator=torch.Generator().manual_seed(0))
    assert log_mel(noise, bands).shape == (1, bands, 32) and log_mel(noise, bands).mean(2).min() > math.log(0.1)
    torch.testing.assert_close(log_mel(0 * noise, bands), torch.full((1, bands, 32), math.log(FLOOR)))
    mel = 2595 * math.log10(1 + 3000 / 700) / (2595 * math.log10(1 + RATE / 2 / 700)) * (bands + 1) - 1
    tone = torch.sin(2 * torch.pi * 3000 / RATE * torch.arange(4 * window, dtype=torch.double))[None]
    assert (log_mel(tone, bands)[0].mean(1).argmax() - mel).abs() < 1
