"""Every prior family goes through the same tests."""

import itertools
import math
from types import SimpleNamespace

import pytest
import torch
from audiopriors import diffusion, registry
from audiopriors.checkpoints import CheckpointError, build_prior, load_prior, save_prior
from audiopriors.data import toy
from audiopriors.errors import UserError
from audiopriors.likelihood import entropy_gate
from audiopriors.priors import wavenet
from audiopriors.priors.base import Prior, tweedie
from audiopriors.seeds import torch_generator
from audiopriors.separation import supervised
from audiopriors.separation.scaled import Scaled
from copied import copy_examples
from torchaudio.functional import mu_law_decoding

FLOW = {
    "blocks": 3, "flows": 2, "layers": 2, "kernel_size": 3, "width": 6, "blocks_per_split": 1,
    "partition": "interleaved", "log_scale_bound": 3.0, "log_det_weight": 1.0,
    "sigma_min": 0.0, "sigma_max": 0.0,
}  # fmt: skip
WAVENET = {
    "variant": "causal", "input": "scalar", "noise_target": "clean", "blocks": 2, "layers": 3, "kernel_size": 2,
    "width": 4, "skip_width": 5, "head_width": 6,
}  # fmt: skip
SCORE = {
    "sigma_min": 0.01, "sigma_max": 4.0, "width": 6, "layers": 3, "masks": 2, "mask_width": 4, "mask_layers": 2,
    "ode_steps": 8,
}  # fmt: skip
MUSIC = {"sigma_min": 0.01, "sigma_max": 4.0, "window": 32, "width": 2, "blocks": 1, "ode_steps": 8}
EXACT = {"padding": 16, "phases": 64, "peaks": 16, "nodes": 256}
LAW = toy.Config("paper", 16000, 16384, "uniform", (27.5, 4186.0), (0.8, 1.0), False, 50, 8, 8)
CASES = {  # the smallest settings that have every part, and the sigmas at which they are tested
    "flowavenet": [
        (FLOW, 0.3),
        (FLOW | {"partition": "half"}, 0.3),
        (FLOW | {"blocks_per_split": 0}, 0.3),
        (FLOW | {"blocks_per_split": 2, "log_scale_bound": 0.0, "log_det_weight": 0.25}, 0.3),
        (FLOW | {"sigma_min": 0.01, "sigma_max": 2.0}, 0.3),
    ],
    "wavenet": [
        (WAVENET, 0.3),
        (WAVENET, 0.0),
        (WAVENET | {"kernel_size": 3, "blocks": 1}, 0.3),
        (WAVENET | {"input": "one_hot"}, 0.3),
        (WAVENET | {"noise_target": "noisy"}, 0.0),
    ],
    "score": [(SCORE, 0.3), (SCORE | {"masks": 1, "layers": 1}, 0.05)],
    "score_music": [(MUSIC, 0.3)],
    "exact": [(EXACT, 0.3)],
    "autoregressive": [({"order": 3}, 0.3), ({"order": 1}, 0.0)],  # examples/prior
}
ALL = [(family, model, sigma) for family, cases in CASES.items() for model, sigma in cases]


@pytest.fixture(autouse=True, scope="module")
def examples(tmp_path_factory):
    """The example of a prior goes through the tests of every family."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        copy_examples(tmp_path_factory.mktemp("library"), monkeypatch)
        yield


def prior_of(family, model, spread=0.3):
    """A prior with random weights, also where it starts at zero."""
    torch.manual_seed(1)
    prior = build_prior(family, model).double()
    if family == "exact":
        return prior.fit(SimpleNamespace(config=LAW), "triangle")
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter += spread * torch.randn_like(parameter)
    return prior.requires_grad_(False)


def waves(n, length):
    """Inputs within [-1, 1], where every family has a density."""
    return torch.randn(n, 1, length, generator=torch.Generator().manual_seed(0), dtype=torch.double).tanh()


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


@pytest.mark.parametrize("model", [model for model, _ in CASES["flowavenet"]])
def test_flow_change_of_variables(model):
    """log p(x) = log N(z) + log|det dz/dx| with the Jacobian from autograd, and the inverse."""
    prior, x = prior_of("flowavenet", model), torch.randn(3, 1, 16, dtype=torch.double)

    def latents(x):
        return torch.cat([z.flatten() for z in prior.transform(x, 0.3)[0]])

    for one in x.split(1):
        jacobian = torch.autograd.functional.jacobian(latents, one).reshape(16, 16)
        z = latents(one)
        expected = torch.distributions.Normal(0, 1).log_prob(z).sum() + torch.linalg.slogdet(jacobian).logabsdet
        torch.testing.assert_close(prior.log_prob(one, 0.3)[0], expected, rtol=0, atol=1e-8)
    torch.testing.assert_close(prior.inverse(prior.transform(x, 0.3)[0], 0.3), x, rtol=0, atol=1e-9)


@pytest.mark.parametrize("partition", ["interleaved", "half"])
@pytest.mark.parametrize(("blocks", "split"), [(1, 0), (2, 1)])
def test_flow_integrates_to_one(partition, blocks, split):
    """Over R^2 by the trapezoid rule, which converges exponentially for smooth decaying densities (R^4 by sampling)."""
    model = FLOW | {"blocks": blocks, "partition": partition, "blocks_per_split": split}
    prior = prior_of("flowavenet", model, spread=0.1)
    if blocks == 1:
        line = torch.linspace(-25, 25, 1201, dtype=torch.double)
        grid = torch.cartesian_prod(line, line)[:, None]
        total = torch.exp(torch.cat([prior.log_prob(part, 0.0) for part in grid.split(200_000)])).sum()
        assert abs(total * (line[1] - line[0]) ** 2 - 1) < 1e-3
    else:
        # Importance sampling in R^4: E_q[p / q] = 1 with q a wide Gaussian around samples of p.
        generator = torch.Generator().manual_seed(0)
        drawn = prior.sample(20_000, 4, 0.0, generator)[:, 0]
        mean, covariance = drawn.mean(0), 1.5 * torch.cov(drawn.T)
        q = torch.distributions.MultivariateNormal(mean, covariance)
        torch.manual_seed(0)
        x = q.sample((400_000,))
        weights = torch.exp(prior.log_prob(x[:, None], 0.0) - q.log_prob(x))
        error = weights.std() / math.sqrt(len(weights))
        assert error < 0.01 and abs(weights.mean() - 1) < 4 * error


def test_flow_initialises_once_on_data():
    torch.manual_seed(0)
    prior = build_prior("flowavenet", FLOW)
    x = 3 + 2 * torch.randn(64, 1, 64)
    prior.initialise(x, x, 0.0)
    latents, _, _ = prior.transform(x, 0.0)
    for z in latents:
        assert abs(z.mean()) < 0.1 and abs(z.std() - 1) < 0.1
    before = prior.state_dict()
    prior.transform(10 * x, 0.0)  # a later batch changes nothing
    for name, tensor in prior.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_flow_objective_has_the_weight_of_the_log_determinant():
    prior, x = prior_of("flowavenet", FLOW | {"log_det_weight": 0.25}), torch.randn(3, 1, 16, dtype=torch.double)
    _, latent, log_det = prior.transform(x, 0.0)
    torch.testing.assert_close(prior.loss(x, x, 0.0), -(latent + 0.25 * log_det).mean() / 16)
    torch.testing.assert_close(prior.log_prob(x, 0.0), latent + log_det)  # what is reported is always the density


def test_flow_frame_must_divide():
    with pytest.raises(ValueError, match="multiple of 8 samples, not 20"):
        prior_of("flowavenet", FLOW).log_prob(torch.zeros(1, 1, 20, dtype=torch.double), 0.0)


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
    for refused in (lambda: prior.log_prob(x, 0.3), lambda: prior.sample(1, 8, 0.3, torch.Generator())):
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


@pytest.mark.parametrize("sigma", [0.05, 0.3, 2.0])
def test_told_flow_is_a_density_at_every_level(sigma):
    """The log-determinant of the noise level's scale included: over R^2 it integrates to one."""
    model = FLOW | {"blocks": 1, "blocks_per_split": 0, "sigma_min": 0.01, "sigma_max": 2.0}
    prior = prior_of("flowavenet", model, spread=0.1)
    prior.deviation.fill_(0.5)
    scale = math.hypot(sigma, 0.5)
    line = torch.linspace(-25 * scale, 25 * scale, 1201, dtype=torch.double)
    grid = torch.cartesian_prod(line, line)[:, None]
    total = torch.exp(torch.cat([prior.log_prob(part, sigma) for part in grid.split(200_000)])).sum()
    assert abs(total * (line[1] - line[0]) ** 2 - 1) < 1e-3


@pytest.mark.parametrize(("family", "model"), [("score", SCORE), ("flowavenet", CASES["flowavenet"][-1][0])])
def test_levels_of_items_are_those_of_single_items(family, model):
    """What training does: items of one batch with a noise level each."""
    prior, x = prior_of(family, model), waves(3, 32)
    levels = torch.tensor([0.02, 0.3, 1.5], dtype=torch.double)
    call = prior.denoise if family == "score" else prior.log_prob
    together = call(x, levels)
    for number, level in enumerate(levels.tolist()):
        torch.testing.assert_close(together[number : number + 1], call(x[number : number + 1], level))


def gaussian_score(variances):
    """A score prior that knows N(0, diag(variances)): D(x; s) = v / (v + s^2) x, so every density in closed form."""
    prior = build_prior("score", SCORE | {"sigma_max": 60.0, "ode_steps": 400}).double().requires_grad_(False)
    prior.deviation.fill_(0.7)

    def network(x, sigma):
        _, skip, out = prior._scales(x, sigma[:, 0, 0])
        return (variances / (variances + sigma**2) - skip) / out * x

    prior.network = network
    return prior


def test_score_likelihood_and_samples_are_a_gaussians():
    """With the exact denoiser, log_prob is the Gaussian's, whose trace the probe finds exactly, and so are samples."""
    variances = torch.logspace(-2, 0.5, 24, dtype=torch.double)
    prior = gaussian_score(variances)
    law = torch.distributions.Normal(0, (variances + 0.04).sqrt())
    x = law.sample((6,))[:, None]
    expected = law.log_prob(x).sum((1, 2))
    # N(0, sigma_max^2) at the end, instead of sigma_max^2 + v: 24 dimensions of v / (2 sigma_max^2) each.
    torch.testing.assert_close(prior.log_prob(x, 0.2), expected, rtol=0, atol=0.02)
    torch.testing.assert_close(prior.score(x, 0.2), -x / (variances + 0.04))
    drawn = prior.sample(20_000, 24, 0.2, torch.Generator().manual_seed(0))[:, 0]
    assert (drawn.var(0) / (variances + 0.04) - 1).abs().max() < 0.06


def test_score_likelihood_is_the_flows_change_of_variables():
    """The sum of traces is the log-determinant of the whole ODE (by autograd), but for the probes' error."""
    prior, x, sigma = prior_of("score", SCORE | {"ode_steps": 60}, spread=0.1), waves(1, 12), 0.3

    def end(x):
        u = x / math.hypot(sigma, 1.0)
        angles = prior._angles(sigma, prior.config.sigma_max)
        velocity = prior._velocity(u, angles[0])
        for before, after in itertools.pairwise(angles):
            middle = (before + after) / 2
            velocity = prior._velocity(u + (middle - before) * velocity, middle)
            u = u + (after - before) * velocity
        return u * math.hypot(prior.config.sigma_max, 1.0)

    jacobian = torch.autograd.functional.jacobian(end, x).reshape(12, 12)
    base = torch.distributions.Normal(0, prior.config.sigma_max).log_prob(end(x)).sum()
    expected = base + torch.linalg.slogdet(jacobian).logabsdet
    assert abs(prior.log_prob(x, sigma)[0] - expected) < 0.1


def test_denoising_score_is_its_integral(monkeypatch):
    monkeypatch.setattr(diffusion, "LEVELS", 1000)
    prior, total = gaussian_score(torch.full((64,), 0.3, dtype=torch.double)), 0.3 + 0.01
    x = math.sqrt(total) * torch.randn(3, 1, 64, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    noise = torch.randn(64, generator=torch_generator("score", "noise")).double()
    log_tau = torch.linspace(math.log(0.1), math.log(30), 4001, dtype=torch.double)
    tau = log_tau.exp()[:, None, None, None]
    error = x - total / (total + tau**2) * (x + tau * noise)
    expected = -torch.trapezoid((error / tau).square().sum((2, 3)), log_tau, dim=0)
    torch.testing.assert_close(prior.denoising_score(x, 0.1), expected, rtol=4e-3, atol=0)


def test_denoising_score_ranks_as_the_likelihood():
    """Of Gaussians of two widths: the difference of denoising scores has the sign of the log-ratio."""
    wide, narrow = (gaussian_score(torch.full((64,), v, dtype=torch.double)) for v in (1.0, 0.3))
    noise = torch.randn(200, 1, 64, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    for variance, sign in ((1.0, 1), (0.3, -1)):
        x = noise * math.sqrt(variance + 0.01)
        cheap = wide.denoising_score(x, 0.1) - narrow.denoising_score(x, 0.1)
        ratio = wide.log_prob(x, 0.1) - narrow.log_prob(x, 0.1)
        assert ((cheap * sign > 0) == (ratio * sign > 0)).double().mean() > 0.9


def test_supervised_separator_adds_up_to_the_mix(tmp_path):
    torch.manual_seed(0)
    separator = supervised.Separator("score", SCORE, 3)
    with torch.no_grad():
        for parameter in separator.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    mix = torch.randn(2, 1, 40)
    estimates = separator(mix)
    assert estimates.shape == (2, 3, 40)
    torch.testing.assert_close(estimates.sum(1, keepdim=True), mix)
    path = str(tmp_path / "separator.safetensors")
    described = {"family": "score", "model": SCORE, "mix": {"sources": ["a", "b", "c"]}}
    save_prior(path, separator, described)
    assert torch.equal(supervised.load(path)(mix), estimates)
    save_prior(path, separator, described | {"model": SCORE | {"width": 7}})
    with pytest.raises(CheckpointError, match=r"separator.safetensors: does not fit.*delete it"):
        supervised.load(path)


def test_unknown_family_names_those_there_are():
    with pytest.raises(
        UserError, match="no 'nope' in priors: there are autoregressive, exact, flowavenet, score, score_music, wavenet"
    ):
        registry.load("priors", "nope")


@pytest.mark.parametrize("sigma", [0.01, 0.359])
def test_the_wavenet_mixtures_gradient_is_autograds(sigma):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 256, generator=generator, dtype=torch.double, requires_grad=True)
    x = torch.rand(2, 3, generator=generator, dtype=torch.double).requires_grad_()
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
