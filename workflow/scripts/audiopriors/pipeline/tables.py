"""The catalogue of tables. workflow/scripts/table_NAME.py computes table NAME, unless `rule` names another program."""

from __future__ import annotations

from .catalogue import (
    CLAIMED,
    DENOISED,
    ITEMS,
    MEASURES,
    PARTICLES,
    Input,
    Table,
    has_accepting,
    has_exact,
    has_fidelity,
    has_posteriors,
    has_runs,
    has_tracks,
    table,
)


def program_of(name: str) -> str:
    """The program that computes a table of rule `table`: table_NAME.py, or table_1.py for the table table_1."""
    return name if name.startswith("table_") else f"table_{name}"


TABLES = {
    "claims": Table(
        "The claims of the paper and the thesis, and what this run (scale {scale}) says of each: the value by the "
        "published score, the correct measure with its 95 % interval, and what the exact prior has. The verdict "
        "follows from the rule in the last column (claims.yaml); small models cannot confirm what they fail at.",
        inputs=tuple(map(table, CLAIMED)),
        settings=("claims", "sources", "scale", "paper_size"),
    ),
    "cross_likelihood": Table(
        "Mean and median score of every test source, mix and input under every prior, in nats/sample (n items of "
        "frame samples), with the 95 % interval of the mean over items; seeds is the number of trainings, seed_low "
        "and seed_high their spread; least and greatest are the items' own. Intervals contain the error of "
        "integration; of few items there is none. log_prob is the likelihood, latent_log_prob what was published; "
        "mel_log_prob is of log-mel spectrograms, no density of the wave. Scale {scale}.",
        rule="likelihood_tables",
    ),
    "detection": Table(
        "AUROC and FPR95 of in-class items (the prior's own source) against each other source and against the rest "
        "pooled, by measure, with 95 % intervals. log_ratio is log "
        "p_k − log p_j against the prior of the tested source. aupr_in and aupr_out are the areas under the "
        "precision-recall curve with in-class items, or the others, as positives; they have no interval. Scale "
        "{scale}.",
        rule="likelihood_tables",
    ),
    "detection_summary": Table(
        "Detection over all pairs of sources, a row for each prior, noise level and measure: the mean AUROC of all "
        "pairs (auroc, low, high), of near and of far ones, and the worst, whose interval is that of a least of so "
        "many. Near is the half of the pairs whose mean spectra are least apart (near_pairs); no prior decides that. "
        "kind one_class: the measure knows only the own prior, as detection usually has it. kind ratio: it also knows "
        "the prior of the tested source (mixture_ratio: of all); log_ratio of two true laws is the optimal test for "
        "that pair (Neyman and Pearson's lemma), and no detection of the unknown. Intervals and item_deviation are "
        "over items (over tracks for music), training_deviation is over the trainings (seeds) on the same items. "
        "Scale {scale}.",
        inputs=(ITEMS, MEASURES),
        settings=("data", "sources", "frame"),
        opens_data=True,
    ),
    "detection_by_track": Table(
        "AUROC and FPR95 as in the table of detection, of the items of one track alone (n of each source). Scale "
        "{scale}.",
        inputs=(MEASURES,),
        settings=("sources", "frame"),
        exists=has_tracks,
    ),
    "tracks": Table(
        "What each track is used for: train, validation, test, or left out, and then the reason. folder_split is the "
        "split that its folder names, seconds its length, frames those that were cut out of it, and frames_all_sound "
        "those of them in which every source sounds. Scale {scale}.",
        inputs=(ITEMS,),
        exists=has_tracks,
    ),
    "classification": Table(
        "Share of items (intervals over items; over tracks for music) whose own prior gives the highest likelihood, "
        "with 95 % intervals; chance is one over the number of sources. Scale {scale}.",
        rule="likelihood_tables",
    ),
    "truth_gap": Table(
        "Truth gap: mean of log p_σ − log q over test items of the prior's own source, at data σ = prior σ > 0, per "
        "sample (gap_mean, low, high) and in total nats (gap_total ...), with 95 % intervals that contain the error "
        "of integration, scale {scale}. p_σ is the exact prior. Zero is perfect, below zero impossible.",
        inputs=(MEASURES,),
        settings=("exact", "frame"),
        exists=has_exact,
        families=("exact",),
    ),
    "smoothed_bound": Table(
        "What the inputs of section 3.4, constants and N(0, s²) noise, have under every prior of σ > 0, beside the "
        "most that any density of data with noise σ can give any input, bound = −½ log 2πσ² (over_bound is the mean "
        "less that), and beside what the prior gives its own source with that noise; nats/sample. Scale {scale}.",
        inputs=(table("cross_likelihood"),),
    ),
    "gradient_norm": Table(
        "Mean of the squared norm of ∇ log p_σ(x), per sample, at in-class items of the prior's own σ. Scale {scale}.",
        rule="likelihood_tables",
    ),
    "denoising": Table(
        "Denoising of one source by its prior: noise of data_sigma is added to n test items, and each estimate "
        "(method) tries to remove it: one step of Tweedie's formula with the model of that noise (a score prior's is "
        "its denoiser), a few steps (denoising_steps) of Langevin dynamics under the model of the next smaller noise "
        "(prior_sigma), or a posterior model that was trained on this source in this noise. error is the mean square "
        "per sample, limit the exact prior's, the least that any estimate has in the mean; error_over_limit is their "
        "ratio, with the 95 % interval over items; over tracks for music, which has no limit. SI-SDR in dB, at most "
        "60, against that of the noisy wave. Scale {scale}.",
        inputs=(DENOISED, Input("separate_posterior", "denoised")),
        settings=("exact", "frame"),
    ),
    "separation": Table(
        "Median SI-SDR (dB, at most 60) of each method and reference, with the 95 % interval over mixes, its "
        "improvement over the mix as estimate, the share of sources above 10 dB; for recordings also the medians of "
        "BSSEval v4 (windows of one frame, a track at a time; share_with_sdr: of windows in which all sources "
        "sound); the residual of the mix, and the share of mixes whose sampler diverged and stopped. Scale {scale}.",
        inputs=(Input("separate_reference", "rows"), Input("separate", "rows"), Input("separate_posterior", "rows")),
        settings=("frame",),
        exists=has_runs,
    ),
    "posterior": Table(
        "Posterior models: the evidence lower bound (elbo, with its 95 % interval over mixes) in its parts, nats of a "
        "whole mix: log p(mix | sources), the sources' log p under the frozen priors, and the entropy −log q; and the "
        "share of true samples within q's central 50 % and 95 %; with the bound's noise, of models that are trained by "
        "it. A score prior's log p is a lower bound in the mean. Bounds compare within one prior. law: of each sample; "
        "steps: of training, whose seconds are in `costs`. Scale {scale}.",
        inputs=(Input("separate_posterior", "bounds"),),
        settings=("frame",),
        exists=has_posteriors,
    ),
    "posterior_fidelity": Table(
        "Do samplers sample? Particles of each method and prior against draws from the exact posterior, of each kind "
        "of mix and of all. coverage_50 and coverage_95 (low, high): share of exact draws within regions of the "
        "particles; rank_p: p of the ranks' evenness; energy_distance over the posterior's own spread; "
        "stein_discrepancy: of noisy sources with their exact score; mode_distance: total variation of the "
        "frequencies of a mix's explanations, where there are several; elsewhere: share of particles at none. "
        "at_best: what as many exact draws reach in 95 % of replicates. effective_particles: exact draws whose mean "
        "is as good. calls of denoisers a particle. truth_50 and truth_95 judge the exact posterior by the true "
        "parameters, reference_error by independent runs, in its deviations. Scale {scale}.",
        inputs=(Input("exact_posterior", "rows"), Input("sample_posterior", "rows")),
        settings=("frame",),
        exists=has_fidelity,
    ),
    "acceptance": Table(
        "How well the misfit, which does not know the truth, tells particles that found every source (all above 10 "
        "dB): shares of all particles, accepted particles that are wrong, right ones that are not accepted, the "
        "AUROC of the misfit, its largest value of a right and its smallest of a wrong particle, and how far the "
        "particles of a first round agree with the best; of accepted mixes, those that are wrong, and the high "
        "end of the 95 % interval of their share; calls of denoisers for each mix, judging included; best_of_8: the "
        "share of sources above 10 dB in the best of a mix's first 8 particles. Scale {scale}.",
        inputs=(PARTICLES,),
        settings=(),
        exists=has_accepting,
    ),
    "table_1": Table(
        "Table 1 of the paper: constant zero and N(0, 0.5) noise under the noise-free and the widest prior; mean "
        "nats/sample: the published numbers, the same score here, and the likelihood here. No density can give N(0, "
        "0.5) noise more than −0.726 nats/sample on average. Scale {scale}.",
        inputs=(table("cross_likelihood"),),
        settings=("sources", "sigmas"),
    ),
    "table_2": Table(
        "Table 2 of the paper, and the hyperparameters of the priors at scale {scale}.",
        inputs=(),
        settings=("priors", "fine_tuned"),
    ),
    "costs": Table(
        "Clock time of each kind of job, summed over its jobs, on the named device. The only table that differs from "
        "run to run. draws_per_second: exact draws of the posterior whose mean would be as good as what one second of "
        "sampling gives, of samplers that are compared with it. Scale {scale}.",
        rule="costs",
    ),
}
