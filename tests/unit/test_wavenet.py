"""WaveNet: causality, its codes and density, generation."""

import pytest
import torch
from audiopriors.priors import wavenet
from families import WAVENET, prior_of, waves
from torchaudio.functional import mu_law_decoding


@pytest.mark.parametrize("input", ["scalar", "one_hot"])
def test_wavenet_is_causal(input):
    """The output at t has no gradient at t or later, and depends on all of the receptive field."""
    prior, x = prior_of("wavenet", WAVENET | {"input": input}), waves(1, 40).requires_grad_(True)
    weights = torch.randn(256, dtype=torch.double)
    if input == "scalar":  # a code has no gradient
        (gradient,) = torch.autograd.grad((prior.logits(x)[0, 30] * weights).sum(), x)
        assert (gradient[..., 30:] == 0).all()
        field = 1 + 2 * (1 + 2 + 4)  # two blocks of dilations 1, 2, 4 at kernel 2
        assert (gradient[..., 30 - field : 30] != 0).all() and (gradient[..., : 30 - field] == 0).all()
    changed = x.detach().clone()
    changed[..., 30:] = -changed[..., 30:]
    with torch.no_grad():
        assert torch.equal(prior.logits(changed)[:, :31], prior.logits(x)[:, :31])
        assert not torch.equal(prior.logits(changed)[:, 31], prior.logits(x)[:, 31])


@pytest.mark.parametrize("sigma", [0.0, 0.2])
def test_the_map_of_a_wavenet_is_of_the_past(sigma):
    prior, x = prior_of("wavenet", WAVENET), waves(2, 40)
    of_time = prior.log_prob_map(x, sigma)
    for length in (1, 7, 39):
        torch.testing.assert_close(of_time[:, :length], prior.log_prob_map(x[..., :length], sigma))
    outside = x.clone()
    outside[0, 0, 20] = 1.5
    of_time = prior.log_prob_map(outside, sigma)
    assert of_time.isinf().nonzero().tolist() == ([[0, 20]] if sigma == 0 else [])


def test_published_wavenet_sees_its_target():
    prior = prior_of("wavenet", WAVENET | {"variant": "published", "noise_target": "noisy"})
    x = waves(2, 40).requires_grad_(True)
    logits = prior.logits(x)
    (gradient,) = torch.autograd.grad(logits[0, 20].sum(), x)
    assert gradient[0, 0, 20] != 0
    assert logits.min() >= 0 and logits.max() <= 1
    assert 4.55 < prior.loss(x, x, 0.3) < 6.55  # what a cross-entropy of sigmoids can be
    measures = prior.measures(x, 0.3)
    assert set(measures) == {"code_log_prob", "published_score"}
    chosen = logits.gather(2, wavenet.encode(x[:, 0])[..., None])[..., 0]
    torch.testing.assert_close(measures["published_score"] / 40, chosen.mean(1).log())
    for refused in (
        lambda: prior.log_prob(x, 0.3), lambda: prior.log_prob_map(x, 0.3),
        lambda: prior.sample(1, 8, 0.3, torch.Generator()),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="WaveNet"):
            refused()


def test_wavenet_of_noisy_targets_is_no_density_with_noise():
    prior = prior_of("wavenet", WAVENET | {"noise_target": "noisy"})
    assert set(prior.measures(waves(2, 16), 0.3)) == {"code_log_prob"}
    x, clean = waves(2, 16), torch.zeros(2, 1, 16, dtype=torch.double)
    assert prior.loss(x, clean, 0.3) == prior.loss(x, x, 0.3) != prior_of("wavenet", WAVENET).loss(x, clean, 0.3)


@pytest.mark.parametrize("sigma", [0.0, 0.2])
def test_wavenet_integrates_to_one(sigma):
    """Over R^2 (noise-free: [-1, 1]^2, by four points in each bin of the codes)."""
    prior = prior_of("wavenet", WAVENET)
    if sigma:
        line = torch.linspace(-2.5, 2.5, 801, dtype=torch.double)
        weight = torch.full_like(line, line[1] - line[0])
    else:
        low, width = wavenet.EDGES[:-1, None], wavenet.EDGES.diff()[:, None]
        line = (low + width * (torch.arange(4, dtype=torch.double) + 0.5) / 4).flatten()
        weight = (width / 4).expand(-1, 4).flatten()
    grid = torch.cartesian_prod(line, line)[:, None]
    density = torch.exp(torch.cat([prior.log_prob(part, sigma) for part in grid.split(50_000)]))
    assert abs((density * torch.cartesian_prod(weight, weight).prod(1)).sum() - 1) < 1e-3
    outside = torch.tensor([[[0.0, 1.01]]], dtype=torch.double)
    assert prior.log_prob(outside, sigma).isinf() == (sigma == 0)


@pytest.mark.parametrize("sigma", [0.0, 0.05, 0.4])
def test_wavenet_code_scores_are_probabilities(sigma):
    """Of one sample: over all codes they sum to 1, and at sigma > 0 they are what noise and clamping make of P."""
    prior = prior_of("wavenet", WAVENET)
    every = mu_law_decoding(torch.arange(256, dtype=torch.double), 256)[:, None, None]
    probability = torch.exp(prior.measures(every, sigma)["code_log_prob"])
    assert abs(probability.sum() - 1) < 1e-9
    if sigma:
        clean = torch.softmax(prior.logits(every[:1])[0, 0], 0)
        drawn = torch.multinomial(clean, 400_000, True, generator=torch.Generator().manual_seed(0))
        noise = torch.randn(400_000, generator=torch.Generator().manual_seed(1), dtype=torch.double)
        counts = torch.bincount(wavenet.encode(every[drawn, 0, 0] + sigma * noise), minlength=256) / 400_000
        assert (counts - probability).abs().max() < 5 * (probability.max() / 400_000).sqrt()


def test_wavenet_density_is_the_code_score_over_the_bins_width():
    prior, x = prior_of("wavenet", WAVENET), waves(3, 20)
    measures = prior.measures(x, 0.0)
    codes = wavenet.encode(x)[:, 0]
    assert (x[:, 0] >= wavenet.EDGES[codes]).all() and (x[:, 0] <= wavenet.EDGES[codes + 1]).all()
    expected = measures["code_log_prob"] - wavenet.EDGES.diff()[codes].log().sum(1)
    torch.testing.assert_close(measures["log_prob"], expected)
    log_p = torch.log_softmax(prior.logits(x), 2).gather(2, codes[..., None]).sum((1, 2))
    torch.testing.assert_close(measures["code_log_prob"], log_p)


@pytest.mark.parametrize("model", [WAVENET, WAVENET | {"input": "one_hot"}, WAVENET | {"kernel_size": 3}])
@pytest.mark.parametrize("sigma", [0.0, 0.1])
def test_wavenet_cached_generation_is_the_full_one(model, sigma):
    """The same samples, bit for bit, as when every sample is drawn from a full forward pass."""
    prior, n, length = prior_of("wavenet", model), 3, 60
    cached = prior.sample(n, length, sigma, torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(3)
    uniform = torch.rand(length, n, generator=generator, dtype=torch.double)
    within = prior._within(length, n, sigma, generator)
    full = torch.zeros(n, 1, length, dtype=torch.double)
    for now in range(length):
        full[:, 0, now] = prior.emit(prior.logits(full)[:, now], uniform[now], within[now], sigma)
    assert torch.equal(cached, full)
    assert cached.std() > 0.1


def test_wavenet_samples_its_own_law():
    prior = prior_of("wavenet", WAVENET)
    drawn = prior.sample(20_000, 1, 0.0, torch.Generator().manual_seed(0))
    expected = torch.softmax(prior.logits(drawn[:1])[0, 0], 0)
    counts = torch.bincount(wavenet.encode(drawn[:, 0, 0]), minlength=256) / 20_000
    assert (counts - expected).abs().max() < 5 * (expected.max() / 20_000).sqrt()


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("sigma", [0.01, 0.359])
def test_the_wavenet_mixtures_gradient_is_autograds(sigma, transposed):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 256, generator=generator, dtype=torch.double, requires_grad=True)
    x = torch.rand(2, 3, generator=generator, dtype=torch.double)
    x = (x.t().contiguous().t() if transposed else x).requires_grad_()
    terms = torch.log_softmax(logits, 2) - 0.5 * ((x[..., None] - wavenet.CENTRES) / sigma) ** 2
    value = wavenet._Mixture.apply(logits, x, sigma)
    torch.testing.assert_close(value, terms.logsumexp(2))
    weight = torch.randn(2, 3, generator=generator, dtype=torch.double)
    for ours, autograds in zip(
        torch.autograd.grad((weight * value).sum(), (logits, x)),
        torch.autograd.grad((weight * terms.logsumexp(2)).sum(), (logits, x)),
        strict=True,
    ):
        torch.testing.assert_close(ours, autograds)
