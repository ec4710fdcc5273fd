"""Every figure: workflow/scripts/figure_NAME.py draws the figure NAME."""

from __future__ import annotations

from .catalogue import (
    ITEMS,
    MAPS,
    PARTICLES,
    Figure,
    Input,
    accepts_first_mix,
    compared_with_joint,
    first_accepting,
    first_of_its_prior,
    has_accepting,
    has_exact,
    has_fidelity,
    has_joint,
    has_planned,
    has_published,
    has_runs,
    has_tracks,
    has_training_curves,
    of_first_mix,
    posterior_of_first_mix,
    separates_first_mix,
    table,
    trained,
)

SYNTHESISED = "(Data sets demo_band and chorales: synthesised, not recorded.)"

FIGURES: dict[str, Figure] = {
    "waveforms": Figure(
        "Fig. 1 of the paper, Fig. 11 of the thesis. Two periods of each source at 220 Hz and amplitude 1, and the "
        "first test mix, the mean of the sources at random frequency, amplitude and phase. Data set {dataset}, scale "
        "{scale}.",
        (ITEMS,),
        captions={
            "music": (
                "Fig. 2 of the paper. The first test item of data set {dataset}: each source and the recorded mix, "
                "{frame} samples; below, their spectrograms. Scale {scale}. " + SYNTHESISED
            ),
        },
        opens_data=True,
    ),
    "amplitudes": Figure(
        "Figs. 9 and 10 of the thesis: how the samples of each source are distributed, and the Beta density on [−1, "
        "1] of the greatest likelihood (values are clamped to 2⁻¹⁵ within ±1), as the thesis proposes it for a "
        "posterior. Above: one wave of 220 Hz and the middle amplitude, {frame} samples (a square has two values and "
        "no density); below: training items, a random amplitude each. The true law is in closed form, of the random "
        "amplitude its mean. Lower right (Fig. 10): Beta densities of several concentrations. Look for what a Beta "
        "density cannot follow: a support within ±1, and peaks inside it. Data set {dataset}, scale {scale}.",
        (ITEMS,),
        captions={
            "music": (
                "Figs. 9 and 10 of the thesis for data set {dataset}, scale {scale}: how the samples of each source "
                "are distributed, and the Beta density on [−1, 1] of the greatest likelihood (values are clamped to "
                "2⁻¹⁵ within ±1). Above: the first training item, {frame} samples; below: the beginnings of many. "
                "Lower right (Fig. 10): Beta densities of several concentrations. Look for samples outside the Beta's "
                "bell: the thesis has no law for these sources, and takes a truncated normal. " + SYNTHESISED
            ),
        },
        opens_data=True,
    ),
    "training": Figure(
        "Training loss (pale) and held-out loss of every prior's models, scale {scale}, {seeds} training(s) each. A "
        "panel is one model, of the noise σ above it; without σ: one model for all σ. Fine-tuned models start from "
        "the noise-free one, or from that of the next smaller σ (config: chain). The first steps are cut off. "
        "Trained together: all sources at once, from separate priors; this loss contains how well they tell each "
        "other's items apart. Look for curves that still fall: those priors were stopped early, and no verdict on "
        "the model class can rest on them.",
        (Input("train_prior", "losses", trained), Input("train_jointly", "losses")),
    ),
    "cross_likelihood": Figure(
        "Fig. 3 (left) of the paper, Fig. 14 of the thesis, scale {scale}, for each prior; {items} test items of T "
        "= {frame} samples, {seeds} training(s). Priors are noise-free where they can be; others have the smallest "
        "σ, as noise-free waves of three parameters have no density. Rows are test sources, columns priors. First "
        "column: the mean likelihood. Second: the score that the authors published (flows: the latent term without "
        "the log-determinant; WaveNets: the probability of the codes). Colours are clipped to [−4, 2] nats/sample, "
        "numbers are not; −∞ are items outside [−1, 1]. Third and fourth: AUROC of items of the prior's own source "
        "against the other source, by the likelihood and by the ratio of two priors, which is what separation "
        "needs. Look for a diagonal, and for whether the AUROC says the same as the means.",
        (table("cross_likelihood"), table("detection")),
        captions={
            "music": (
                "Fig. 3 (right) of the paper, Fig. 15 of the thesis, data set {dataset}, scale {scale}; {items} "
                "test items of T = {frame} samples, {seeds} training(s). Priors are noise-free where they can be. "
                "Rows are test sources, columns priors. First column: the mean likelihood. Second: the score that "
                "the authors published (flows: the latent term without the log-determinant; WaveNets: the "
                "probability of the codes). Colours are clipped to [−6, 5] nats/sample, numbers are not. Third and "
                "fourth: AUROC of items of the prior's own source against the other source, by the likelihood and "
                "by the ratio of two priors, which is what separation needs. Paper and thesis saw every field of "
                "the heat map in one range. Look for whether the rows differ more than the columns (a loud source "
                "is unlikely under every prior), and whether the ratio tells what the likelihood does not. "
                + SYNTHESISED
            ),
        },
    ),
    "published": Figure(
        "Fig. 3 (left) and, at the widest σ, Fig. 4 of the paper, scale {scale}; {items} test items of T = {frame} "
        "samples, {seeds} training(s). The two columns at the left: priors that are trained and scored as the "
        "authors did. The two at the right: the same family, trained and scored correctly. FloWaveNet, as "
        "published, has a quarter of the log-determinant in its objective and is scored by the latent term alone. "
        "WaveNet, as published, sees its target through a sigmoid and is scored by the log of a mean of sigmoids, "
        "so that no value is above 0. Glow on mel spectrograms (thesis) is no density of waves, as the phase is "
        "lost: only ratios of two of them say something (second column). Last line: Table 1 as printed, the same "
        "scores here, and likelihoods; no density can give N(0, .5) noise more than −.726 nats/sample. Colours of "
        "means are clipped to [−4, 2] nats/sample, numbers are not.",
        (table("cross_likelihood"), table("detection"), table("table_1")),
        exists=has_published,
    ),
    "detection_summary": Figure(
        "Detection by measure, at some noise levels of prior and data, scale {scale}; {items} test items of T = "
        "{frame} samples, {seeds} training(s). Crosses: the worst pair of sources, with the 95 % interval of a least "
        "of so many. Circles and squares: the mean over near pairs (the half whose mean spectra are least apart) and "
        "over far ones. Above the line: measures of one class, which know only the own prior. Below it: ratios, which "
        "also know the prior of the tested source; of true laws, the ratio of two is the optimal test of that pair "
        "(Neyman and Pearson's lemma), so it is a ceiling, and no detection of the unknown. Dotted: a guess. Data set "
        "{dataset}. Look for crosses left of the dotted line: there a near source has more than the own one.",
        (table("detection_summary"),),
    ),
    "noise_grid": Figure(
        "Fig. 4 of the paper, scale {scale}: prior and data have the same noise level; {items} test items of T = "
        "{frame} samples, {seeds} training(s). Columns of each map are priors, rows test sources. Of each prior the "
        "first line is the mean likelihood in nats/sample, the second the AUROC of the ratio of two priors. Look "
        "for whether discrimination is lost with noise, or only hard to see in a mean: all means fall together as "
        "noise grows, and the ratio still tells sources apart. The published scores and the likelihood alone are in "
        "the figure `detection`. Colours of the means are clipped to [−4, 2] nats/sample.",
        (table("cross_likelihood"), table("detection")),
        captions={
            "music": (
                "Fig. 4 of the paper for data set {dataset}, scale {scale}: prior and data have the same noise "
                "level; {items} test items of T = {frame} samples, {seeds} training(s). Columns of each map are "
                "priors, rows test sources. Of each prior the first line is the mean likelihood in nats/sample, the "
                "second the AUROC of the ratio of two priors. Colours of the means are clipped to [−6, 5] "
                "nats/sample. " + SYNTHESISED
            ),
        },
    ),
    "detection": Figure(
        "AUROC of items of the prior's own source against all other sources, by noise level (the same for prior and "
        "data), with 95 % intervals over {items} test items; T = {frame}, {seeds} training(s), scale {scale}. First "
        "column: the likelihood. Second: the log-ratio of two priors, against the worst other source. Third: the "
        "score that the authors published. Dotted: chance. The exact prior is the ceiling: at σ = .359 even its log "
        "p(x) overlaps, as its own noise is √(T/2) nats in total; its ratio does not. The WaveNet's published score "
        "can fall below chance there: most samples of a noisy square are clamped to ±1, where codes are cheap for "
        "every prior, so squares get the highest totals under all of them. Other measures are in the table of the "
        "same name.",
        (table("detection"),),
        captions={
            "music": (
                "AUROC of items of the prior's own source against all other sources, by noise level (the same for "
                "prior and data), with 95 % intervals over tracks ({items} test items, T = {frame}, {seeds} "
                "training(s)), data set {dataset}, scale {scale}. First column: the likelihood. Second: the "
                "log-ratio of two priors, against the worst other source. Third: the score that the authors "
                "published. Dotted: chance. Look for whether a prior that fails by its likelihood succeeds by the "
                "ratio: then it was the metric, not the model. Other measures are in the table of the same name. "
                + SYNTHESISED
            ),
        },
    ),
    "detection_by_track": Figure(
        "Detection within each test track of data set {dataset}: AUROC of frames of the prior's own source against "
        "frames of the other sources of the same track, so that no difference between songs counts; each dot is a "
        "track, the bar their median; prior and data have the same noise level; {items} test items of T = {frame} "
        "samples, scale {scale}. Dotted: chance. Look for tracks in which the likelihood puts a source on the wrong "
        "side (below .5) and the ratio does not. " + SYNTHESISED,
        (table("detection_by_track"),),
        exists=has_tracks,
    ),
    "logits": Figure(
        "Fig. 16 of the thesis, the logits of the classes: what separation needs. A point is one of {items} test "
        "items a source (200 are drawn at most; T = {frame}, {seeds} training(s), scale {scale}): log p(x) by the "
        "prior of its own source less that by the prior of another, and less the greatest of all others, in nats. "
        "Prior and data have noise of the σ above. Open: each source's prior trained on its own. Filled: the same, "
        "then trained together to tell each other's items apart. Strokes: medians. At the right: the share above 0, "
        "which is right. The exact prior is the ceiling. Look for points left of the dotted line, and whether the "
        "training moves them.",
        (Input("evaluate_prior", "measures", compared_with_joint),),
        exists=has_joint,
    ),
    "peakedness": Figure(
        "Section 3.3 of the paper: mean likelihood of items of each source under the source's own priors as noise "
        "is added to them, {items} items, T = {frame}, 95 % intervals, scale {scale}. A line is one prior, named by "
        "the σ that it was trained at. A peaked prior falls at once from a high value. A smooth one stays level up "
        "to about its own σ. Intervals are cut off where the axis ends. The figure `noise_likelihood` has the ends "
        "as the thesis pairs them.",
        (table("cross_likelihood"),),
    ),
    "noise_likelihood": Figure(
        "Figs. 13 (left, priors trained without noise) and 12 (right, with noise) of the thesis: mean likelihood of "
        "in-class items of each source as noise is added to them, {items} items, T = {frame}, 95 % intervals, "
        "{seeds} training(s), scale {scale}. Dotted: the prior's own σ. Left are priors of the least noise: where "
        "none is noise-free, of the smallest σ; right those of the largest. −∞: a WaveNet outside [−1, 1], or less "
        "than any number. Axes end at the means; longer intervals are cut off. Look for how soon a line falls: a "
        "prior that is to lead a sampler has to be level as far as the sampler strays.",
        (table("cross_likelihood"),),
    ),
    "inputs": Figure(
        "Section 3.4 and Table 1 of the paper: the likelihood of constants and of Gaussian noise, under the prior "
        "of the least noise (left pair of columns; noise-free, where there is such a prior) and of the widest "
        "(right pair); T = {frame}, {items} noise items, 95 % intervals, scale {scale}. Dotted: the mean of the "
        "prior's own source at its own noise level, in its colour. Dashed: no density can be above it in the mean "
        "on N(0, s²) noise. Dash-dotted: no density of data with noise σ can be above it for any input. Axes end at "
        "the means; longer intervals are cut off. The likelihood corrected for complexity and the published scores "
        "are in the table `cross_likelihood`.",
        (table("cross_likelihood"),),
        captions={
            "music": (
                "Section 3.4 of the paper for data set {dataset}: the likelihood of constants and of Gaussian "
                "noise, under the prior of the least noise (left pair of columns; noise-free, where there is such a "
                "prior) and of the widest (right pair); T = {frame}, {items} noise items, 95 % intervals, scale "
                "{scale}. Dotted: the mean of the prior's own source at its own noise level, in its colour. Dashed: "
                "no density can be above it in the mean on N(0, s²) noise. Dash-dotted: no density of data with "
                "noise σ can be above it for any input. Axes end at the means; longer intervals are cut off. The "
                "likelihood corrected for complexity and the published scores are in the table `cross_likelihood`. "
                + SYNTHESISED
            ),
        },
    ),
    "truth_gap": Figure(
        "How many nats per sample each learned density is below the true one p_σ, on items of its own source with "
        "noise of its own σ; {items} items of T = {frame} samples, 95 % intervals, {seeds} training(s), scale "
        "{scale}. No density can be below the dashed line (Gibbs' inequality): the run stops if one is. A model that "
        "had learned everything would lie on it. Open, beside the prior that they start from: priors of all sources "
        "trained together to tell each other's items apart (in the order of the config).",
        (table("truth_gap"),),
        exists=has_exact,
    ),
    "gradient_norm": Figure(
        "Mean squared norm of the gradient in x of in-class items, per sample, at the prior's own σ; T = {frame}, "
        "95 % intervals, scale {scale}. The thesis expects 1/σ² (dashed), which holds for noise that fills all "
        "dimensions. Intervals beyond all means are cut off.",
        (table("gradient_norm"),),
    ),
    "samples": Figure(
        "Waveforms drawn from each prior, the first 10 ms: of each source one at the least, the middle and the "
        "largest σ that the prior has, below each other; scale {scale}, T = {frame}. A wave beyond ±10 is not "
        "drawn. Look for whether a shape can be recognised at all: likelihoods of small models trained for seconds "
        "are finite and comparable long before their samples look right.",
        (Input("sample_prior", "samples"),),
        captions={
            "music": (
                "Waveforms drawn from each prior, the first 10 ms: of each source one at the least, the middle and "
                "the largest σ that the prior has, below each other; data set {dataset}, scale {scale}, T = "
                "{frame}. Small models trained for seconds draw coloured noise: likelihoods are finite and "
                "comparable long before samples sound like music."
            ),
        },
    ),
    "likelihood_map": Figure(
        "Where in time each prior objects: log p of the first test item of each source and of their mix (columns, "
        "without noise above) split over time, under the priors of each source (strips), with noise of the σ at the "
        "colour bar added; it adds up to log p of the whole frame. A WaveNet has log p(x_t | x_<t), a flow the term "
        "of each latent at its sample, of MDCT coefficients over its time span, a score prior the integrand of its "
        "likelihood, the exact prior the Gaussian of its residual and an even rest. The first 8 ms of T = {frame} "
        "samples, scale {scale}. Colours end at −4 and 2 nats/sample. Look for what a prior of another source objects "
        "to, and whether any prior takes the mix for its own.",
        (ITEMS, MAPS),
        captions={
            "music": (
                "Where in time each prior objects: log p of the first test item of each source and of the mix "
                "(columns, without noise above) split over time in 64 parts of the frame, under the priors of each "
                "source (strips), with noise of the σ at the colour bar added; it adds up to log p of the whole "
                "frame. A WaveNet has log p(x_t | x_<t), a flow the term of each latent at its sample, of MDCT "
                "coefficients over its time span, a score prior the integrand of its likelihood. Data set {dataset}, "
                "T = {frame}, scale {scale}. Colours end at 5 and 95 % of all values. What all priors of a wave have "
                "at the same time is the noise; look for what only some object to. " + SYNTHESISED
            ),
        },
        opens_data=True,
    ),
    "dilemma": Figure(
        "The paper's dilemma, prior by prior; T = {frame}, scale {scale}. First come priors with one model per σ, "
        "as the paper's, then priors with one model for all σ, then the truth. Left: how much the mean log p of the "
        "own source (nats/sample) changes when noise of the prior's own σ is added. A true density of noisy data "
        "pays ½ (dotted), a peaked prior pays more. Open: the prior of the least noise, for the smallest σ. Middle: "
        "AUROC of the worst pair of sources at the worst σ above 0, by log p (open) and by the ratio of two priors "
        "(filled), with the 95 % interval. Right: median SI-SDR of each source (at most 60 dB) by the sampler that "
        "suits the prior best, with the 95 % interval; dotted: the mix itself. Shaded: what the claims ask for, a "
        "cost below 1 nat/sample, an AUROC above .9, and 10 dB. A prior that is smooth, discriminative and "
        "separates is there in all three panels.",
        (table("cross_likelihood"), table("detection"), table("separation")),
        exists=separates_first_mix,
    ),
    "separation": Figure(
        "Median SI-SDR of each source over {mixes} test mixes with its 95 % interval, by prior and method; T = "
        "{frame}, scale {scale}. References: the mix itself as estimate, an oracle that knows every frequency and "
        "phase and fits the amplitudes, and a separator that is trained on mixes. In brackets the number of mixes, "
        "fewer for slow methods. Look for methods above the mix: Langevin dynamics from the paper's σ is not, as "
        "the paper says; the same kind of priors in a sampler that starts where the sources drown in noise can be.",
        (table("separation"),),
        exists=has_runs,
        captions={
            "music": (
                "Median SI-SDR of each source over {mixes} test mixes with its 95 % interval over tracks, by prior "
                "and method; data set {dataset}, T = {frame}, scale {scale}. References: the mix itself as "
                "estimate, a static Wiener filter (long-term average spectra of the training stems), two oracles, the "
                "masks of the true sources' magnitudes and powers, and a separator that is trained on mixes. In "
                "brackets the number of mixes. BSSEval's measures are in the table. Look for methods above the mix. "
                + SYNTHESISED
            ),
        },
    ),
    "training_cost": Figure(
        "What training is worth: mean SI-SDR improvement over the mix, over sources and {mixes} test mixes, against "
        "the number of training steps of all models of a separation together, for priors alone and for a separator "
        "that is trained on mixes. Networks, batches and frames are the same, so a step of any of them costs about as "
        "much. Pale: each source. Dotted: a static Wiener filter, and an oracle, the mask of the true sources' powers. "
        "Data set {dataset}, T = {frame}, scale {scale}. Look for where the lines meet, and whether they still rise.",
        (table("separation"),),
        exists=has_training_curves,
    ),
    "separation_examples": Figure(
        "Before and after: the first 8 ms of the first test mix. First row: the mix and its true sources. Then what "
        "each prior makes of it by the first of its methods in the config (grey: the truth; left: the mean of its "
        "estimates). Scale {scale}, T = {frame}. The page of sounds has every method.",
        (ITEMS, Input("separate", "examples", first_of_its_prior)),
        exists=separates_first_mix,
        captions={
            "music": (
                "The first test mix of data set {dataset}: spectrograms of the mix and its true sources (first "
                "row), then of what each prior makes of it by the first of its methods in the config (left: the sum "
                "of its estimates). Scale {scale}, T = {frame}. The page of sounds has every method. " + SYNTHESISED
            ),
        },
        opens_data=True,
    ),
    "posterior": Figure(
        "What posterior models make of the first test mix of data set {dataset}: the mean of q (colour) with its "
        "central 95 % (band) over the true sources (grey). A row is a model, named by its objective. Scale {scale}, "
        "T = {frame}. Look for bands that are wide where the mean is wrong: there the encoder says that it does not "
        "know.",
        (ITEMS, Input("separate_posterior", "bands", of_first_mix)),
        exists=posterior_of_first_mix,
        opens_data=True,
    ),
    "elbo": Figure(
        "The evidence lower bound of held-out mixes and its parts while posterior models are trained, nats per sample "
        "of a source, at the noise level of the bound; data set {dataset}, T = {frame}, scale {scale}. A score prior's "
        "log p heeds its gate, which the training does not see. Look for which part a training raises, and at what "
        "cost to the others.",
        (Input("train_posterior", "losses", of_first_mix),),
        exists=posterior_of_first_mix,
    ),
    "energy": Figure(
        "Energy (minus log posterior, per sample; of the planned samplers the part of the mix only) and residual "
        "(rms of the mix less the sum of the estimates) along the steps of each sampler, a line a prior; median and "
        "10 to 90 % of the mixes, T = {frame}, scale {scale}. Dotted lines: the σ of prior and step changes; where "
        "it changes often, it is not drawn. Look for energies that rise or residuals that stay: the step is too "
        "large for that prior.",
        (Input("separate", "trace", of_first_mix),),
        exists=separates_first_mix,
    ),
    "denoising": Figure(
        "What each prior leaves of the noise that is added to items of its own source: mean square error of the "
        "estimate over that of the exact prior (black), the least that any estimate has in the mean, by the noise's "
        "σ, with 95 % intervals; T = {frame}, scale {scale}. Solid: one step of Tweedie's formula with the model of "
        "that noise, which is E[s | x] if the model is right. Dashed: a few steps of Langevin dynamics under the "
        "model of the next smaller noise. Single points: posterior models trained against that prior for this "
        "noise. Dotted: an estimate that changes nothing. Look for how far above black a prior is: what it does not "
        "know of its source.",
        (table("denoising"),),
        captions={
            "music": (
                "What each prior leaves of the noise that is added to items of its own source: mean square error of "
                "the estimate over the noise's power σ², by the noise's σ, with 95 % intervals over tracks; data set "
                "{dataset}, T = {frame}, scale {scale}. Solid: one step of Tweedie's formula with the model of that "
                "noise; dashed: Langevin dynamics under the model of the next smaller noise. Dotted: an estimate that "
                "changes nothing. " + SYNTHESISED
            ),
        },
    ),
    "error_curve": Figure(
        "Denoising error of each prior that serves all noise levels, on validation items of its own source, relative "
        "to the source's power; T = {frame}, scale {scale}. Dotted lines: where a source enters the alternating "
        "sampler; strokes at the top: its noise levels. The schedule follows from the curves. Look for how far a "
        "learned curve lies above the exact prior's.",
        (Input("error_curve", "errors"),),
        exists=has_planned,
    ),
    "forming": Figure(
        "How the estimates of the first test mix form under the alternating sampler, from large to small σ: each "
        "source at some levels (colour) over the true wave (grey); T = {frame}, scale {scale}. Look for the order in "
        "which sources appear, and how early their frequency and phase are decided.",
        (ITEMS, Input("separate", "forming", first_accepting), Input("separate", "trace", first_accepting)),
        exists=accepts_first_mix,
        opens_data=True,
    ),
    "acceptance": Figure(
        "Every particle of the planned samplers: SI-SDR of its worst source, which needs the truth, against its "
        "misfit, which does not (the geometric mean of the mix's residual, in units of what the priors' denoising "
        "errors explain, and of how badly the priors denoise the estimates). Accepted are those left of the dashed "
        "line; T = {frame}, scale {scale}. Look at the lower left: a failure there would be accepted silently.",
        (PARTICLES,),
        exists=has_accepting,
    ),
    "fidelity": Figure(
        "Do samplers sample? Share of draws from the exact posterior that lie within the particles' regions of 50 % "
        "and of 95 % (dotted and dashed lines), mean over the sources' parameters, with 95 % intervals over mixes. "
        "Left of its line the particles' spread is too small, or in the wrong place; right of it too large. Second "
        "panel: the energy distance between particles and exact draws, over the posterior's own spread, and the limit "
        "of the verdict (dashed). Wide particles in the wrong place can have the right share, but no small distance. "
        "γ is the deviation of the noise in the mix. T = {frame}, scale {scale}. Look for filled marks at the dashed "
        "lines, and a distance left of its line.",
        (table("posterior_fidelity"),),
        exists=has_fidelity,
    ),
    "explanations": Figure(
        "Which explanations do samplers choose? Of each kind of mix the one with the most explanations: phases of its "
        "first two sources in draws from the exact posterior (grey) and in each sampler's particles under the learned "
        "prior. Particles beside the grey explain the mix wrongly; grey without particles is an explanation that the "
        "sampler does not find. T = {frame}, scale {scale}. Look at mixes with several grey clouds.",
        (
            Input("exact_posterior", "draws"),
            Input("exact_posterior", "rows"),
            Input("sample_posterior", "particles"),
        ),
        exists=has_fidelity,
    ),
    "risk_coverage": Figure(
        "What refusing particles by their misfit buys: the share of wrong particles (a source of at most 10 dB) among "
        "those accepted, against the share accepted, as the limit of the misfit grows; each mix is a line, and its "
        "mark is where the method's own limit ends; T = {frame}, scale {scale}. Fresh particles are run for mixes "
        "that are refused, so hard mixes have more of them. Look for a mark above 0: failures that are accepted.",
        (PARTICLES,),
        exists=has_accepting,
    ),
}

# Captions of pages and of figures of one recording.
CAPTIONS = {
    "listen": (
        "Example mixes of data set {dataset}, their true sources and every method's estimates, to be listened to. "
        "The wav files are in results/{scale}/audio/{dataset}. " + SYNTHESISED
    ),
    "separated_file": (
        "A recording separated with the priors of data set {dataset}, scale {scale}, to be listened to. The wav "
        "files, at the recording's own rate, channels and length, are beside this page in the folder wavs."
    ),
    "figure_separated_file": (
        "A recording separated with the priors of data set {dataset}, scale {scale}: waveforms (channels' mean) and "
        "spectrograms of the first 30 s at most. Titles: level against the recording's and, where the recording's "
        "true sources are known, the SI-SDR of the estimate and of the recording itself as estimate. Above the "
        "dotted line the priors know nothing; what is there, and all that no source got, is in rest."
    ),
    "real_song": (
        " The recording is an excerpt of a song of MUSDB18 that the package stempeg ships; the data sets demo_band and "
        "chorales are synthesised."
    ),
    "figure_scored_file": (
        "A recording under every prior of data set {dataset}, frame by frame (T = {frame} samples), scale {scale}: "
        "its level, the likelihood (left), the likelihood against the mean of all priors (middle; above 0: this prior "
        "likes the frame more than the others do), and the likelihood split over time within the frames (right; the "
        "priors of a row have the same colours, which end at 5 and 95 % of its values). For a prior of noise level "
        "σ, noise of σ is added to the frames."
    ),
}
