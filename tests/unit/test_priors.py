"""Every prior family goes through the same tests."""

import math
from types import SimpleNamespace

import pytest
import torch
from audiopriors import registry
from audiopriors.checkpoints import CheckpointError, build_prior, load_prior, save_prior
from audiopriors.errors import UserError
from audiopriors.likelihood import entropy_gate
from audiopriors.priors.base import Prior, tweedie
from audiopriors.separation.scaled import Scaled
from copied import copy_examples
from families import CASES, LAW, SCORE, prior_of, waves

ALL = [(family, model, sigma) for family, cases in CASES.items() for model, sigma in cases]


@pytest.fixture(autouse=True, scope="module")
def examples(tmp_path_factory):
    """The example of a prior goes through the tests of every family."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        copy_examples(tmp_path_factory.mktemp("library"), monkeypatch)
        yield


def test_every_family_is_tested():
    assert set(CASES) == set(registry.names("priors"))


@pytest.mark.parametrize(("family", "model", "sigma"), ALL)
def test_measures(family, model, sigma):
    prior = prior_of(family, model)
    x = waves(5, 32)
    measures = prior.measures(x, sigma)
    torch.testing.assert_close(measures["log_prob"], prior.log_prob(x, sigma), rtol=0, atol=0)
    for values in measures.values():
        assert values.shape == (5,) and values.dtype == torch.float64 and values.isfinite().all()
    torch.testing.assert_close(prior.log_prob(x[2:3], sigma), measures["log_prob"][2:3])  # items do not see each other


@pytest.mark.parametrize(("family", "model", "sigma"), ALL)
def test_gradient_in_x(family, model, sigma):
    prior = prior_of(family, model)
    x = waves(2, 16).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: prior.log_prob(x, sigma), (x,))
    log_prob, gradient = prior.log_prob_and_score(x, sigma)
    torch.testing.assert_close(log_prob, prior.log_prob(x, sigma).detach(), rtol=1e-12, atol=1e-9)
    torch.testing.assert_close(gradient, torch.autograd.grad(prior.log_prob(x, sigma).sum(), x)[0])
    assert not log_prob.requires_grad and not gradient.requires_grad


@pytest.mark.parametrize(("family", "model", "sigma"), ALL)
def test_score_and_denoiser_agree(family, model, sigma):
    """Tweedie's formula holds between what a prior says of both; neither keeps a graph that a sampler would pay for."""
    prior, x = prior_of(family, model), waves(3, 32)
    score = prior.score(x, sigma)
    assert score.shape == x.shape and not score.requires_grad
    torch.testing.assert_close(prior.denoise(x, sigma), x + sigma**2 * score)
    unasked, same = prior.log_prob_and_score(x, sigma, need_log_prob=False)
    assert unasked.shape == (3,) and torch.equal(same, score)


@pytest.mark.parametrize(("family", "model", "sigma"), ALL)
def test_a_map_adds_up_to_the_likelihood(family, model, sigma):
    prior, x = prior_of(family, model), waves(4, 32)
    of_time = prior.log_prob_map(x, sigma)
    assert of_time.shape == (4, 32) and of_time.dtype == torch.float64 and not of_time.requires_grad
    torch.testing.assert_close(of_time.sum(1), prior.log_prob(x, sigma), rtol=1e-12, atol=1e-9)
    torch.testing.assert_close(prior.log_prob_map(x[2:3], sigma), of_time[2:3])  # items do not see each other


@pytest.mark.parametrize(("family", "model", "sigma"), ALL)
def test_trained_by_its_loss_or_fitted(family, model, sigma):
    prior, x = prior_of(family, model).requires_grad_(True), waves(4, 32)
    prior.initialise(x, x, sigma)
    if family == "exact":
        with pytest.raises(NotImplementedError, match="Exact is not trained"):
            prior.loss(x, x, sigma)
        return
    loss = prior.loss(x, x, sigma)
    assert loss.shape == () and loss.isfinite() and prior.loss_unit
    loss.backward()
    assert any(parameter.grad is not None for parameter in prior.parameters())
    with pytest.raises(NotImplementedError, match="is trained"):
        prior.fit(SimpleNamespace(config=LAW), "triangle")


@pytest.mark.parametrize(("family", "model", "sigma"), ALL)
def test_float32_sums_in_float64(family, model, sigma):
    prior = prior_of(family, model, spread=0.1)
    x = waves(3, 64)
    expected = prior.log_prob(x, sigma)
    prior.float()
    assert prior.log_prob(x.float(), sigma).dtype == torch.float64
    torch.testing.assert_close(prior.log_prob(x.float(), sigma), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(("family", "model", "sigma"), ALL)
def test_cpu_and_gpu_agree(family, model, sigma):
    """In float32, as the pipeline computes: within 1e-4 of the value, and a hundredth of a nat in total."""
    prior = prior_of(family, model, spread=0.1).float()
    x = waves(3, 64).float()
    expected = prior.log_prob(x, sigma)
    on_gpu = prior.to("cuda").log_prob(x.to("cuda"), sigma).cpu()
    torch.testing.assert_close(on_gpu, expected, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize(("family", "model", "sigma"), ALL)
def test_sample(family, model, sigma):
    prior = prior_of(family, model)

    def draw():
        return prior.sample(3, 32, sigma, torch.Generator().manual_seed(5))

    assert draw().shape == (3, 1, 32)
    assert torch.equal(draw(), draw())


@pytest.mark.parametrize(("family", "model", "sigma"), ALL)
def test_no_density_beats_the_noise_it_is_given(family, model, sigma):
    prior, x = prior_of(family, model), 0.5 * torch.randn(20, 1, 32, dtype=torch.double)
    entropy_gate(prior.log_prob(x, sigma).numpy(), x, 0.5, family)


@pytest.mark.parametrize(("family", "model", "sigma"), ALL)
def test_saved_and_loaded_is_the_same(family, model, sigma, tmp_path):
    prior = prior_of(family, model).float()
    path = tmp_path / "prior.safetensors"
    description = {"family": family, "model": model, "source": "triangle"}
    save_prior(path, prior, description)
    first = path.read_bytes()
    loaded = load_prior(path, expect={"source": "triangle"})
    x = waves(4, 32).float()
    assert torch.equal(loaded.log_prob(x, sigma), prior.log_prob(x, sigma))
    assert loaded.description == description
    save_prior(path, loaded, description)
    assert path.read_bytes() == first
    with pytest.raises(CheckpointError, match=r"prior.safetensors: is a prior with source 'triangle', but 'saw'"):
        load_prior(path, expect={"source": "saw"})
    path.write_bytes(first[:-100])
    with pytest.raises(CheckpointError, match=r"prior.safetensors: not a whole checkpoint.*delete it"):
        load_prior(path)
    path.write_bytes(b"garbage")
    with pytest.raises(CheckpointError, match=r"not a whole checkpoint"):
        load_prior(path)


@pytest.mark.parametrize(("family", "model"), [("score", SCORE), ("flowavenet", CASES["flowavenet"][-1][0])])
def test_levels_of_items_are_those_of_single_items(family, model):
    """What training does: items of one batch with a noise level each."""
    prior, x = prior_of(family, model), waves(3, 32)
    levels = torch.tensor([0.02, 0.3, 1.5], dtype=torch.double)
    call = prior.denoise if family == "score" else prior.log_prob
    together = call(x, levels)
    for number, level in enumerate(levels.tolist()):
        torch.testing.assert_close(together[number : number + 1], call(x[number : number + 1], level))


def test_unknown_family_names_those_there_are():
    with pytest.raises(
        UserError,
        match="no 'nope' in priors: there are autoregressive, exact, flowavenet, glow, score, score_emphasised, "
        "score_music, wavenet",
    ):
        registry.load("priors", "nope")


def test_the_autoregressive_example_is_the_gaussian_that_its_recursion_makes():
    """x = A^-1 (b + s eps) with A = 1 - shifts: mean and covariance in closed form, and samples that have them."""
    prior, length = prior_of("autoregressive", {"order": 2}), 6
    matrix = torch.eye(length, dtype=torch.double)
    for lag, weight in enumerate(prior.weights.flip(0), 1):
        matrix -= weight * torch.diag(torch.ones(length - lag, dtype=torch.double), -lag)
    inverse = torch.linalg.inv(matrix)
    mean = inverse @ prior.offset.expand(length)
    factor = inverse * prior.log_deviation.exp()
    law = torch.distributions.MultivariateNormal(mean, factor @ factor.T)
    x = waves(4, length)
    torch.testing.assert_close(prior.log_prob(x, 0.3), law.log_prob(x[:, 0]))
    drawn = prior.sample(100_000, length, 0.3, torch.Generator().manual_seed(0))[:, 0]
    torch.testing.assert_close(drawn.mean(0), mean, rtol=0, atol=0.02)
    torch.testing.assert_close(torch.cov(drawn.T), factor @ factor.T, rtol=0.05, atol=0.05)


def test_the_autoregressive_example_learns_a_recursion():
    torch.manual_seed(0)
    x = torch.zeros(64, 1, 201)
    for now in range(1, 201):
        x[:, 0, now] = 0.8 * x[:, 0, now - 1] + 0.1 + 0.05 * torch.randn(64)
    x = x[:, :, 1:]
    prior = build_prior("autoregressive", {"order": 1})
    prior.initialise(x, x, 0.1)
    optimiser = torch.optim.LBFGS(prior.parameters(), max_iter=100)

    def closure():
        optimiser.zero_grad()
        loss = prior.loss(x, x, 0.1)
        loss.backward()
        return loss

    optimiser.step(closure)
    learned = (prior.weights.item(), prior.offset.item(), prior.log_deviation.exp().item())
    assert learned == pytest.approx((0.8, 0.1, 0.05), rel=0.08)  # 12 800 samples


def test_examples_say_what_their_settings_are():
    for kind, name in (("priors", "autoregressive"), ("data", "chirps"), ("separation/methods", "one_shot")):
        fields = registry.schema(kind, name)["properties"]
        assert fields and all(field["description"] for field in fields.values())


class Gaussian(Prior):
    """N(0, (v + sigma^2) I): the smallest prior, which gives what must be given."""

    def __init__(self, variance, scale=1.0):
        super().__init__()
        self.variance, self.scale = variance, scale

    def log_prob(self, x, sigma):
        total = self.variance + sigma**2
        return self.scale * (-0.5 * (x.double().square() / total + math.log(2 * math.pi * total))).sum((1, 2))

    def sample(self, n, length, sigma, generator):
        return math.hypot(self.variance**0.5, sigma) * torch.randn(n, 1, length, generator=generator)


def test_what_the_base_derives():
    """The score by autograd against finite differences, and the denoiser against the Gaussian's own."""
    prior, sigma, x = Gaussian(0.8), 0.5, waves(3, 20)
    assert set(prior.measures(x, sigma)) == {"log_prob"} and prior.noise_range is None
    direction, step = torch.randn_like(x), 1e-5
    change = prior.log_prob(x + step * direction, sigma) - prior.log_prob(x - step * direction, sigma)
    torch.testing.assert_close((prior.score(x, sigma) * direction).sum((1, 2)), change / (2 * step))
    torch.testing.assert_close(prior.score(x, sigma), -x / (0.8 + sigma**2))
    log_prob, score = prior.log_prob_and_score(x, sigma)
    assert torch.equal(log_prob, prior.log_prob(x, sigma)) and torch.equal(score, prior.score(x, sigma))
    with torch.no_grad():  # as in an evaluation
        torch.testing.assert_close(prior.denoise(x, sigma), 0.8 / (0.8 + sigma**2) * x)
        prior.initialise(x, x, sigma)


def test_the_map_that_the_base_derives():
    """Differences between times are those of the residual of the denoised wave; at sigma = 0 there are none."""
    prior, x = Gaussian(0.8), waves(3, 20)
    residual = (x - prior.denoise(x, 0.5))[:, 0]
    of_time = prior.log_prob_map(x, 0.5)
    torch.testing.assert_close(of_time.diff(), -0.5 * (residual / 0.5).square().diff())
    even = prior.log_prob_map(x, 0)
    torch.testing.assert_close(even, prior.log_prob(x, 0)[:, None].expand(3, 20) / 20)


def test_tweedie_takes_no_step_that_explodes():
    x = waves(2, 6)
    exploding = Gaussian(0.8, scale=1e9).denoise(x, 0.5)
    assert torch.equal(exploding, x)
    levels = torch.tensor([0.1, 2.0], dtype=torch.double)
    together = tweedie(x, -x, levels)
    torch.testing.assert_close(together, torch.cat([tweedie(x[:1], -x[:1], 0.1), tweedie(x[1:], -x[1:], 2.0)]))


def test_a_prior_without_what_it_must_give_is_refused():
    class Half(Prior):
        def log_prob(self, x, sigma):
            return x.sum((1, 2))

    with pytest.raises(TypeError, match=r"abstract.*sample"):
        Half()


def test_a_source_times_a_gain():
    """Of Gaussians: gain s has the variance gain^2 v."""
    scaled, x, sigma = Scaled(Gaussian(0.8), gain=0.5), waves(20, 12), 0.3
    louder = Gaussian(0.25 * 0.8)
    for one, other in zip(
        scaled.log_prob_and_score(x, sigma, need_log_prob=True), louder.log_prob_and_score(x, sigma), strict=True
    ):
        torch.testing.assert_close(one, other)
    torch.testing.assert_close(scaled.denoise(x, sigma), louder.denoise(x, sigma))
