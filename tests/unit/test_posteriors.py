"""Posterior models: the evidence lower bound, the encoder and its training; their laws are in test_laws.py."""

import math
from dataclasses import replace

import pytest
import torch
from audiopriors import training
from audiopriors.checkpoints import CheckpointError, save_prior
from audiopriors.errors import UserError
from audiopriors.separation import encoder
from audiopriors.separation.scaled import Scaled
from families import CASES, MUSIC, SCORE, Gaussian, prior_of
from scipy import stats
from test_laws import LAWS, generator, law_of
from test_training import TRAINING


def bound_of(sources, log_q, mix, priors, **others):
    return sum(encoder.evidence_bound(sources, log_q, mix, priors, 0.02, width=3.0, **others).values())


def test_the_bound_is_the_evidence_where_q_is_the_posterior():
    """One Gaussian source: log p(M, s) - log q(s) is log p(M) for each draw, if q is the posterior."""
    law, own, noise = law_of("truncated_normal"), 0.03**2 + 0.02**2, 0.06**2
    mix = 0.1 * torch.randn(5, 1, 7, generator=generator(), dtype=torch.float64)
    variance = 1 / (1 / own + 1 / noise)
    laws = (variance / noise * mix, torch.full_like(mix, variance**0.5))
    sources = law.draw(torch.rand(mix.shape, generator=generator(1), dtype=torch.float64), *laws)
    log_q = law.log_prob(sources, *laws).sum((1, 2))
    evidence = Gaussian(own + noise).log_prob(mix, 0)
    bound = bound_of(sources, log_q, mix, [Scaled(Gaussian(0.03**2))])
    assert torch.allclose(bound, evidence, rtol=0, atol=1e-9)
    wider = (laws[0], 1.2 * laws[1])  # another q: the mean of the bound is lower
    sources = law.draw(torch.rand(4000, *mix.shape, generator=generator(2), dtype=torch.float64), *wider).flatten(0, 1)
    log_q = law.log_prob(sources.unflatten(0, (4000, 5)), *wider).sum((2, 3)).flatten()
    bound = bound_of(sources, log_q, mix.repeat(4000, 1, 1), [Scaled(Gaussian(0.03**2))]).view(4000, 5)
    excess = 7 * (math.log(1.2) - (1.2**2 - 1) / 2)  # minus the Kullback-Leibler divergence of q from the posterior
    assert torch.allclose((bound - evidence).mean(0), torch.full((5,), excess).double(), atol=4 * 1.2 / 4000**0.5)


def test_the_best_product_is_below_the_evidence_by_its_divergence():
    """Two Gaussian sources, one of gain 1/2: a product cannot be their posterior, and the gap is in closed form."""
    law, noise, priors = law_of("truncated_normal"), 0.06**2, [Scaled(Gaussian(0.03**2)), Scaled(Gaussian(0.1**2), 0.5)]
    own = torch.tensor([0.03**2 + 0.02**2, 0.05**2 + 0.02**2], dtype=torch.float64)
    mix = 0.1 * torch.randn(1, 1, 4, generator=generator(), dtype=torch.float64)
    precision = torch.diag(1 / own) + 1 / noise
    mean = (precision.inverse() @ torch.ones(2, 1).double() / noise) @ mix[0]
    laws = (mean[None], (1 / precision.diag().sqrt())[None, :, None].expand(1, 2, 4))
    share = torch.rand(20000, 2, 4, generator=generator(1), dtype=torch.float64)
    sources = law.draw(share, *(one.expand(20000, 2, 4) for one in laws))
    log_q = law.log_prob(sources, *laws).sum((1, 2))
    bound = bound_of(sources, log_q, mix.expand(20000, 1, 4), priors)
    evidence = Gaussian(own.sum() + noise).log_prob(mix, 0)
    divergence = -2 * torch.logdet(precision @ torch.diag(1 / precision.diag()))
    assert divergence > 0.1
    assert bound.mean() == pytest.approx((evidence - divergence).item(), abs=4 * bound.std().item() / 20000**0.5)


def test_the_gradient_of_the_bound_is_by_the_scores():
    priors = [Scaled(Gaussian(0.3)), Scaled(Gaussian(0.1), 0.5)]
    sources = torch.randn(3, 2, 5, generator=generator(), dtype=torch.float64).requires_grad_(True)
    mix, log_q = torch.randn(3, 1, 5, generator=generator(1), dtype=torch.float64), torch.zeros(3).double()
    parts = encoder.evidence_bound(sources, log_q, mix, priors, 0.4, width=1.5)
    (gradient,) = torch.autograd.grad(sum(parts.values()).sum(), sources)
    plain = sum(Gaussian(v).log_prob(sources[:, k : k + 1], 0.4) for k, v in enumerate((0.3, 0.5**2 * 0.1)))
    plain = plain - (mix - sources.sum(1, keepdim=True)).square().sum((1, 2)) / (2 * 0.6**2)
    assert torch.allclose(gradient, torch.autograd.grad(plain.sum(), sources)[0])
    values = encoder.evidence_bound(sources.detach(), log_q, mix, priors, 0.4, width=1.5)
    both = values["log_prior"] + values["log_likelihood"] + 5 * math.log(0.6 * math.sqrt(2 * math.pi))
    assert parts["log_prior"].abs().max() == 0 and torch.allclose(both, plain.detach())


def test_added_noise_is_in_the_prior_and_in_the_mean_of_the_likelihood():
    sources, mix = (0.1 * torch.ones(4000, n, 3).double() for n in (2, 1))
    noise = torch.randn(4000, 2, 3, generator=generator(), dtype=torch.float64)
    priors, none = [Scaled(Gaussian(0.3))] * 2, torch.zeros(4000).double()
    parts = encoder.evidence_bound(sources, none, mix, priors, 0.5, width=1.0, added=0.4, noise=noise)
    with_noise = encoder.evidence_bound(sources + 0.4 * noise, none, mix, priors, 0.5, width=1.0)
    assert torch.equal(parts["log_prior"], with_noise["log_prior"])
    spread = 4 * with_noise["log_likelihood"].std().item() / 4000**0.5
    assert parts["log_likelihood"][0].item() == pytest.approx(with_noise["log_likelihood"].mean().item(), abs=spread)


def encoder_of(law="beta", gains=(1.0, 0.5), noise=0.0):
    torch.manual_seed(2)
    model = encoder.Encoder(law, "score", SCORE | {"altered": 0.0}, list(gains), noise)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return model


@pytest.mark.parametrize(("family", "model"), [("score", SCORE | {"altered": 0.0}), ("score_music", MUSIC)])
def test_an_encoder_of_any_family_can_be_as_sure_everywhere_or_by_the_level(family, model):
    """A network that filters the mix has no outputs that are constant, or the mix's level."""
    torch.manual_seed(2)
    of_music = encoder.Encoder("truncated_normal", family, model, [1.0, 1.0])
    mix = 0.1 * torch.randn(1, 1, 1024, generator=generator())
    mix[..., 512:] *= 0.01
    loud, soft = slice(0, 384), slice(640, 1024)  # further from the step than WINDOW
    with torch.no_grad():
        of_music.inner.estimates = lambda mix, sigma: torch.zeros(1, 4, mix.shape[2])
        of_music.spread[0, :, 0] = torch.tensor([-2.0, 1.0])
        _, deviations = of_music(mix)
        expected = [0.3 * math.exp(3 * math.tanh(value / 3)) for value in (-2, 1)]
        torch.testing.assert_close(deviations.mean(2)[0].tolist(), expected)
        of_music.spread[0], of_music.spread[1] = 3.0, 1.0
        _, deviations = of_music(mix)
        assert (deviations[..., loud].mean(2) > 3 * deviations[..., soft].mean(2)).all()


@pytest.mark.parametrize("law", LAWS)
def test_an_encoder_says_where_sources_are(law):
    model, mix = encoder_of(law), 0.5 * torch.randn(3, 1, 32, generator=generator())
    laws = model(mix)
    sources = model.draw(laws, generator(1))
    assert (sources.abs() <= model.gains).all() and model.estimates(mix).shape == (3, 2, 32)
    assert torch.equal(sources, model.draw(laws, generator(1)))
    # The density of a gain times s is that of s over the gain.
    plain = model.law.log_prob(sources / model.gains, *laws).sum(2)
    assert torch.allclose(model.log_prob(sources, laws), plain - 32 * torch.tensor([0, math.log(0.5)]))
    shares = model.places(model.quantiles(laws, 0.3), laws)
    assert torch.allclose(shares, torch.full_like(shares, 0.3))
    places = model.places(model.draw(laws, generator(3)).detach(), laws)
    assert stats.kstest(places.flatten().numpy(), "uniform").pvalue > 1e-3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("law", LAWS)
def test_cpu_and_gpu_agree(law):
    """Laws, draws and log q of the network in float32: the same to some 1e-4, and with the same shares drawn."""
    model, mix = encoder_of(law), 0.5 * torch.randn(3, 1, 64, generator=generator())
    both = []
    for device in ("cpu", "cuda"):
        model, x = model.to(device), mix.to(device)
        laws = model(x)
        drawn = model.draw(laws, generator(1))
        places = model.places(drawn.detach(), laws)
        values = (*laws, drawn, model.log_prob(drawn, laws), model.estimates(x), places, model.quantiles(laws, 0.3))
        both.append([value.detach().cpu().double() for value in values])
    for one, other in zip(*both, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-3, atol=1e-3)


class Data:
    """Two sources (B, 2, T), as a posterior model's mixes are drawn."""

    def count(self, split):
        return 4

    def draw(self, source, batch, frame, generator):
        waves = torch.randn(batch, 2, frame, generator=generator).tanh()
        return waves * torch.tensor([1.0, 0.5])[:, None]

    def frames(self, split, source, items, frame):
        return self.draw(source, len(items), frame, generator(9))


SHORT = replace(TRAINING, steps=6, batch=2, frame=32, schedule="cosine", learning_rate=1e-3, log_points=2)


def trained(path, objective="elbo", priors=None, sigma=0.3, **changes):
    priors = priors or [Scaled(Gaussian(0.3)), Scaled(Gaussian(0.2), 0.5)]
    model = encoder.Objective(encoder_of(), objective, priors, 0.3, 1.0)
    losses = training.train(
        model, Data(), "mix", sigma, replace(SHORT, **changes), seed=(0, "posterior"), fingerprint="f", state=path,
        device=torch.device("cpu"), fresh=True,
    )  # fmt: skip
    return model, losses


@pytest.mark.parametrize(
    ("objective", "noise", "sigma"), [("sleep", "fixed", 0.3), ("elbo", "fixed", 0.3), ("elbo", "falling", (0.3, 4.0))]
)
def test_every_objective_trains_and_says_its_parts(objective, noise, sigma, tmp_path):
    model, losses = trained(tmp_path / "state", objective, sigma=sigma, noise=noise)
    assert {"log_likelihood", "log_prior", "entropy"} < set(losses[-1])
    if objective == "elbo":
        parts = sum(losses[-1][name] for name in ("log_likelihood", "log_prior", "entropy"))
        assert losses[-1]["held_out_loss"] == pytest.approx(-parts)
    assert losses[-1]["held_out_loss"] < losses[0]["held_out_loss"]
    assert not any("prior" in name for name in model.state_dict())


def test_an_interrupted_training_ends_in_the_same_bytes(tmp_path):
    whole, losses = trained(tmp_path / "whole", "elbo", save_seconds=0)
    with pytest.raises(training.OutOfTime):
        training.train(
            encoder.Objective(encoder_of(), "elbo", whole.priors, 0.3, 1.0), Data(), "mix", 0.3, SHORT,
            seed=(0, "posterior"), fingerprint="f", state=tmp_path / "part", device=torch.device("cpu"), fresh=True,
            deadline=0,
        )  # fmt: skip
    again, others = trained(tmp_path / "part", "elbo")
    assert losses == others
    assert all(torch.equal(one, other) for one, other in zip(whole.parameters(), again.parameters(), strict=True))


@pytest.mark.parametrize("family", ["flowavenet", "wavenet", "glow", "score", "exact"])
def test_a_prior_of_any_kind_teaches(family):
    prior = prior_of(family, CASES[family][0][0], 0.1).float()
    model = encoder.Objective(encoder_of(gains=(1.0, 1.0)), "elbo", [Scaled(prior)] * 2, 0.3, 1.0)
    sources = Data().draw("mix", 2, 64, generator())
    model.loss(sources, sources, 0.3).backward()
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert all(gradient.isfinite().all() for gradient in gradients) and any(gradient.any() for gradient in gradients)
    with torch.no_grad():
        assert model.loss(sources, sources, 0.3).isfinite()


def test_drawn_waves_come_together_at_random():
    waves = [torch.full((3, 1, 8), value) + torch.arange(3)[:, None, None] / 10 for value in (1.0, 2.0)]
    drawn = encoder.Drawn(waves, [1.0, 0.5], Data()).draw("mix", 64, 8, generator())
    assert drawn.shape == (64, 2, 8) and len(drawn[:, :, 0].unique(dim=0)) == 9
    assert drawn[:, 1].max() == pytest.approx(1.1)


def test_waves_of_a_prior_are_clean_and_within_full_scale():
    waves = Gaussian(0.05).waves(4000, 3, 0.2, generator())
    assert waves.var().item() == pytest.approx(0.05**2 / (0.05 + 0.2**2), rel=0.05)  # of E[s | x]
    loud = encoder.dreamed(Gaussian(0.8), 300, 3, 0.2, (0,), 100, "saw")
    assert loud.shape == (300, 1, 3) and 1 < loud.abs().max() <= encoder.FULL_SCALE
    with pytest.raises(UserError, match=r"of 200 waves that the prior of saw drew 0 stay within 1\.2: train it longer"):
        encoder.dreamed(Gaussian(1e4), 20, 30, 0.2, (0,), 10, "saw")
    score = prior_of("score", SCORE)
    score.denoise = lambda x, sigma: torch.full_like(x, 0.25)  # it knows one wave only
    assert (score.waves(2, 16, 0.1, generator()) == 0.25).all()


def test_of_drawn_waves_those_are_kept_that_the_prior_moves_least():
    prior = Gaussian(0.05)
    prior.denoise = lambda x, sigma: torch.full_like(x, 0.25)  # it knows one wave only
    prior.waves = lambda n, length, *_: 0.25 + torch.arange(n)[:, None, None] / 8 * torch.ones(1, 1, length)
    assert encoder.dreamed(prior, 3, 5, 0.2, (0,), 4, "saw")[:, 0, 0].tolist() == [0.25, 0.375, 0.5]


def test_an_encoder_takes_from_a_prior_what_fits():
    model, prior = encoder_of(), prior_of("score", SCORE)
    taken = model.inner.state_dict()
    before = {name: tensor.clone() for name, tensor in taken.items()}
    model.take(Gaussian(0.05))  # of another family, also if it has such weights
    model.take(prior_of("flowavenet", CASES["flowavenet"][-1][0]))
    assert all(torch.equal(before[name], tensor) for name, tensor in taken.items())
    model.take(prior)
    fits = {name: tensor.float() for name, tensor in prior.state_dict().items() if name in taken}
    same = {name for name, tensor in fits.items() if torch.equal(taken[name], tensor)}
    assert set(taken) - same == {"last.weight", "last.bias"}


def test_a_model_of_other_priors_is_refused(tmp_path):
    model, mix = encoder_of(), 0.5 * torch.randn(2, 1, 32, generator=generator())
    mix_of = {"gains": [1.0, 0.5], "noise": 0.0}
    described = {"law": "beta", "family": "score", "model": SCORE | {"altered": 0.0}, "mix": mix_of}
    save_prior(tmp_path / "model.safetensors", model, described | {"priors": "those"})
    loaded = encoder.load(tmp_path / "model.safetensors", priors="those")
    assert torch.equal(loaded.estimates(mix), model.eval().estimates(mix))
    with pytest.raises(CheckpointError, match="was trained against other priors than those of this run"):
        encoder.load(tmp_path / "model.safetensors", priors="others")


def test_errors_are_the_estimates_own():
    model, sources = encoder_of(), Data().draw("mix", 5, 32, generator())
    estimates = model.estimates(sources.sum(1, keepdim=True)).detach()
    plain = [(estimates[:, k] - sources[:, k]).square().mean().sqrt().item() for k in range(2)]
    assert encoder.errors(model, sources) == pytest.approx(plain)


class One:
    """One Gaussian source (B, 1, T), to be denoised."""

    def count(self, split):
        return 64

    def draw(self, source, batch, frame, generator):
        return 0.2 * torch.randn(batch, 1, frame, generator=generator)

    def frames(self, split, source, items, frame):
        return self.draw(source, len(items), frame, generator(9))


@pytest.mark.parametrize(("objective", "sigma"), [("sleep", 0.1), ("elbo", 0.1), ("elbo", 0.25)])
def test_one_source_is_denoised(objective, sigma, tmp_path):
    """E[s | x] = v / (v + noise^2) x, also where the bound's q is of the source with the prior's noise."""
    settings = replace(SHORT, steps=150, batch=32, learning_rate=1e-2, log_points=2, validation_items=64)
    noise, data = 0.3, One()
    width = math.sqrt(noise**2 - sigma**2) / sigma
    priors = [Scaled(Gaussian(0.2**2))]
    model = encoder.Objective(encoder_of("truncated_normal", (1.0,), noise), objective, priors, sigma, width)
    training.train(
        model, data, "mix", sigma, settings, seed=(0, "denoise"), fingerprint="f", state=tmp_path / "state",
        device=torch.device("cpu"), fresh=True,
    )  # fmt: skip
    model.encoder.description = {"objective": objective, "sigma": sigma}
    clean = data.frames("test", "mix", torch.arange(64), 32)
    x = encoder.mixed(clean, noise)
    assert torch.equal(x, encoder.mixed(clean, noise)) and (x - clean).std().item() == pytest.approx(noise, rel=0.1)
    with torch.no_grad():
        estimate = encoder.denoised(model.encoder, x)
    best = 0.2**2 / (0.2**2 + noise**2) * x
    assert (estimate - best).square().mean() < 0.1 * (best - clean).square().mean()


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_what_the_bound_is_a_law_of_carries_its_noise(noise):
    """u = s + sigma n', where the mix has noise of its own as a part of that."""
    sources = torch.ones(4000, 1, 3, dtype=torch.float64)
    mix = sources + noise * torch.randn(sources.shape, generator=generator(), dtype=torch.float64)
    carried = encoder.carrying(sources, mix, 0.4, noise, generator(1))
    assert (carried - sources).std().item() == pytest.approx(0.4, rel=0.03)
    if noise:  # what is left of the noise is independent of u
        joint = torch.stack([(carried - sources).flatten(), (mix - carried).flatten()])
        assert abs(torch.corrcoef(joint)[0, 1].item()) < 0.04
        assert (mix - carried).std().item() == pytest.approx(0.3, rel=0.03)


def test_the_bound_of_one_source_in_noise_is_below_its_evidence():
    """Of x with all its noise, whichever part of it the prior knows; equal if q is the posterior."""
    law, noise, v = law_of("truncated_normal"), 0.06, 0.03**2
    x = 0.1 * torch.randn(5, 1, 7, generator=generator(), dtype=torch.float64)
    for sigma in (0.02, 0.05):
        own, rest = v + sigma**2, noise**2 - sigma**2
        variance = 1 / (1 / own + 1 / rest)
        laws = (variance / rest * x, torch.full_like(x, variance**0.5))
        u = law.draw(torch.rand(x.shape, generator=generator(1), dtype=torch.float64), *laws)
        log_q = law.log_prob(u, *laws).sum((1, 2))
        parts = encoder.evidence_bound(u, log_q, x, [Scaled(Gaussian(v))], sigma, width=math.sqrt(rest) / sigma)
        assert torch.allclose(sum(parts.values()), Gaussian(v).log_prob(x, noise), rtol=0, atol=1e-9)
