"""The columns of every table, in their order, and the names of the measures in them.

This module imports nothing, so the workflow can look a name up before its first job without the cost of pandas.
"""

_OF_MODEL = ("dataset", "prior", "prior_source", "prior_sigma")
_SEEDS = ("seeds", "seed_low", "seed_high")

RATIO = "_ratio"
"The end of the name of a measure that compares the own prior with others."

BSS_EVAL = ("sdr_median", "isr_median", "sir_median", "sar_median", "share_with_sdr")
"The last columns of `separation`; a table has them where its rows have BSSEval's measures: mixes of recordings."

COLUMNS = {
    "cross_likelihood": (
        *_OF_MODEL, "test_source", "data_sigma", "measure", "frame", "n", "mean", "median", "low", "high", *_SEEDS,
        "least", "greatest", "integration_error",
    ),
    "detection": (
        *_OF_MODEL, "test_source", "data_sigma", "measure", "frame", "n", "auroc", "low", "high", "fpr95", *_SEEDS,
        "aupr_in", "aupr_out",
    ),
    "detection_summary": (
        "dataset", "prior", "prior_sigma", "data_sigma", "measure", "kind", "frame", "n", "pairs", "auroc", "low",
        "high", "auroc_near", "auroc_near_low", "auroc_near_high", "auroc_far", "auroc_far_low", "auroc_far_high",
        "worst", "worst_low", "worst_high", "worst_prior_source", "worst_test_source", "aupr_in", "aupr_in_near",
        "aupr_in_far", "aupr_out", "aupr_out_near", "aupr_out_far", "item_deviation", "seeds", "training_deviation",
        "worst_training_deviation", "near_pairs",
    ),
    "detection_by_track": (
        *_OF_MODEL, "test_source", "data_sigma", "measure", "frame", "n", "auroc", "fpr95", *_SEEDS, "track",
    ),
    "classification": (
        "dataset", "prior", "prior_sigma", "data_sigma", "frame", "n", "accuracy", "low", "high", *_SEEDS, "measure",
    ),
    "truth_gap": (
        *_OF_MODEL, "data_sigma", "measure", "frame", "n", "gap_mean", "low", "high", "gap_total", "low_total",
        "high_total", "seeds", "seed_low_total", "seed_high_total", "integration_error",
    ),
    "smoothed_bound": (
        *_OF_MODEL, "test_source", "data_sigma", "frame", "n", "mean", "low", "high", "bound", "over_bound", "own_mean",
        "own_low", "own_high",
    ),
    "denoising": (
        "dataset", "prior", "prior_source", "data_sigma", "method", "frame", "n", "error_over_limit", "low", "high",
        "si_sdr_improvement_median", "si_sdr_improvement_median_low", "si_sdr_improvement_median_high", "prior_sigma",
        "error", "error_low", "error_high", "limit", *_SEEDS,
    ),
    "gradient_norm": (*_OF_MODEL, "data_sigma", "frame", "n", "mean", "low", "high"),
    "separation": (
        "dataset", "mix", "method", "prior", "source", "frame", "n", "si_sdr_median", "low", "high",
        "si_sdr_improvement_median", "si_sdr_improvement_mean", "share_above_10_db", "share_low", "share_high",
        "share_of_mixes", "si_sdr_improvement_median_low", "si_sdr_improvement_median_high", "consistency_rms",
        "stopped", "accepted", "accepted_failures", "si_sdr_least", "si_sdr_greatest",
        "si_sdr_to_mix_median", *BSS_EVAL,
    ),
    "posterior": (
        "dataset", "mix", "prior", "posterior", "objective", "law", "steps", "frame", "n", "elbo", "low", "high",
        "log_likelihood", "log_prior", "entropy", "inside_50", "inside_50_low", "inside_50_high", "inside_95",
        "inside_95_low", "inside_95_high",
    ),
    "posterior_fidelity": (
        "dataset", "mix", "method", "prior", "frame", "n", "coverage_50", "coverage_95", "low", "high",
        "stein_discrepancy", "stein_discrepancy_low", "stein_discrepancy_high", "stein_discrepancy_at_best",
        "coverage_50_low", "coverage_50_high", "rank_p", "energy_distance", "energy_distance_low",
        "energy_distance_high", "energy_distance_at_best", "mixes_explained_twice", "mode_distance",
        "mode_distance_at_best", "elsewhere", "effective_particles", "calls", "truth_50", "truth_95",
        "reference_error", "elsewhere_low", "elsewhere_high", "verdict",
    ),
    "acceptance": (
        "dataset", "mix", "method", "prior", "particles", "mixes", "share_right", "share_accepted", "false_accepts",
        "missed", "auroc", "largest_misfit_right", "smallest_misfit_wrong", "agreement_db_median", "rounds",
        "accepted_mixes", "accepted_failures", "accepted_failures_high", "calls_per_mix", "best_of_8",
    ),
    "tracks": (
        "dataset", "track", "folder_split", "used_for", "seconds", "frames", "frames_all_sound", "reason",
    ),
    "claims": (
        "claim", "where", "dataset", "prior", "published", "published_score_here", "measured", "low", "high", "exact",
        "scale", "verdict", "rule", "published_low", "published_high", "second", "second_low", "second_high",
    ),
    "table_1": ("input", "prior_sigma", "prior", "measure"),
    "table_2": ("prior", "blocks", "flows", "layers", "kernel_size", "width"),
    "costs": (
        "what", "dataset", "prior", "method", "seconds", "threads", "device", "jobs", "memory_mb", "draws_per_second",
    ),
}  # fmt: skip
"By the table's name. `table_1` goes on with a column a source, `table_2` with one a setting of any prior."

SHARES = (
    "auroc", "accuracy", "fpr95", "share_above_10_db", "share_of_mixes", "accepted", "stopped", "coverage_50",
    "coverage_95",
)  # fmt: skip
"Columns of numbers between 0 and 1."

INTERVALS = ("mean", "auroc", "accuracy", "gap_mean", "si_sdr_median", "error_over_limit", "coverage_95")
"Columns of numbers whose interval is in `low` and `high`; that of another one, NAME, is in NAME_low and NAME_high."

DENOISERS = ("tweedie", "langevin")
"The estimates of the table `denoising`, see denoising.py."

MEASURES = {
    "log_prob": "log p(x)",
    "latent_log_prob": "latent term only\n(as published)",
    "code_log_prob": "log P of the codes\n(clamped, as published)",
    "published_score": "log of mean sigmoid\n(as published)",
    "mel_log_prob": "log p of the log-mel\n(thesis: no density of waves)",
    "complexity_corrected": "log p(x) − log p$_{FLAC}$(x)",
    "log_ratio": "log p$_k$ − log p$_j$",
    "latent_log_ratio": "latent term of k − that of j\n(as published)",
    "code_log_ratio": "log P$_k$ − log P$_j$ of the codes\n(clamped, as published)",
    "published_score_ratio": "log of mean sigmoid, k − j\n(as published)",
    "mel_log_ratio": "log p$_k$ − log p$_j$\nof log-mel spectrograms",
    "mixture_ratio": "log p$_k$ − log mean$_j$ p$_j$",
    "typicality": "typicality",
    "likelihood_and_dimension": "log p(x) and\nlocal dimension",
    "path_density": "density of the\npath to noise",
    "gradient_norm_squared": "‖∇ log p(x)‖²",
    "integration_error": "error of the integral\nof log p(x)",
}
"Every kind of log-likelihood that a prior or a table gives, by its name, with its label in figures."
