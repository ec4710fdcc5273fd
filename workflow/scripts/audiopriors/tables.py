"""Tables for people, from rows of tidy measures. Every number in a table is a group-by over rows on disk."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from . import detection, intervals, provenance, risk, runtime
from .columns import BSS_EVAL, COLUMNS
from .errors import UserError

Cells = dict[tuple, np.ndarray]  # (prior_source, prior_sigma, test_source, data_sigma) -> (seeds, items)


def read_csv(path: str) -> pd.DataFrame:
    """Read a table that `write` wrote. Sigmas stay strings."""
    strings = ("prior_sigma", "data_sigma", "test_source")
    return pd.read_csv(path, dtype=dict.fromkeys(strings, str), keep_default_na=False, na_values=[""])


def write(table: pd.DataFrame | Iterable[pd.DataFrame], csv: str) -> None:
    """Write the table as CSV, with six significant digits, and its record (see provenance.py).

    table: may be given in parts, which are not in memory together.
    """
    parts = [table] if isinstance(table, pd.DataFrame) else table
    pieces = (
        part.to_csv(index=False, header=not number, float_format="%.6g", lineterminator="\n").encode()
        for number, part in enumerate(parts)
    )
    provenance.write(csv, *pieces)


def program(description: str, build: Callable[[dict, list[str]], pd.DataFrame]) -> None:
    """The command line of a program for a table. `build(settings, inputs)` returns the table, from its input files."""

    def main() -> None:
        program = runtime.Program(description)
        program.input("--inputs", "rows or tables that this table is made of", many=True, required=False)
        program.output("--output", "the table (CSV)")
        arguments = program.arguments()
        write(build(arguments.settings, arguments.inputs), arguments.output)

    runtime.run(main)


def under_columns(name: str, rows: list[tuple] | list[dict]) -> pd.DataFrame:
    """The rows under the columns of that table."""
    return pd.DataFrame(rows, columns=list(COLUMNS[name]))


def cells(measures: pd.DataFrame, measure: str, split: str = "test") -> Cells:
    """The values of one measure of one prior: an array (seeds, items) for each prior source and test source."""
    chosen = measures[(measures["measure"] == measure) & (measures["split"] == split)]
    key = ["prior_source", "prior_sigma", "test_source", "data_sigma"]
    groups = chosen.sort_values(["seed", "item"]).groupby(key, sort=False, observed=True)
    values = {key: group["value"].to_numpy().reshape(group["seed"].nunique(), -1) for key, group in groups}
    return {key: values[key] for key in chosen[key].drop_duplicates().itertuples(False, None)}  # in the rows' order


def tracks_of(rows: pd.DataFrame) -> intervals.Tracks:
    """The track of each item, as a number; () if each item is its own track, so independent of the others."""
    of_items = rows.loc[rows["track"] != "", ["item", "track"]].drop_duplicates().sort_values("item")
    codes, names = pd.factorize(of_items["track"])
    return () if len(names) == len(of_items) else tuple(codes.tolist())


def by_prior(measures: pd.DataFrame):
    return measures.groupby(["dataset", "prior"], sort=False, observed=True)


# Measures in the rows that are no likelihoods.
NO_LIKELIHOODS = ("gradient_norm_squared", "integration_error", detection.DIMENSION, *detection.PATH)


def cross_likelihood(measures: pd.DataFrame, frame: int) -> pd.DataFrame:
    """Mean and median of every measure of every test source under every prior, with the interval of the mean.

    All are in nats/sample. The integration error of log_prob is a column, and widens its interval.
    """
    rows, tracks = [], tracks_of(measures)
    for (dataset, prior), group in by_prior(measures):
        errors = cells(group, "integration_error")
        for measure in [name for name in group["measure"].unique() if name not in NO_LIKELIHOODS]:
            for key, values in cells(group, measure).items():
                items, test_source = values.mean(0) / frame, key[2]
                error = errors[key].mean() / frame if measure == "log_prob" and key in errors else 0.0
                if test_source.startswith("constant_"):  # one input, not a sample
                    low = high = items[0]
                else:
                    of_tracks = not test_source.startswith("normal_")
                    low, high = intervals.mean(items, tracks[: len(items)] if of_tracks else ())
                rows.append((
                    dataset, prior, *key, measure, frame, len(items), items.mean(), np.median(items), low - error,
                    high + error, *spread_of_seeds(values.mean(1) / frame), items.min(), items.max(), error,
                ))  # fmt: skip
    return under_columns("cross_likelihood", rows)


def tracks(described: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """What each track is used for, and why others were left out. described: a row a track, see data/music.py."""
    return described.assign(dataset=dataset)[list(COLUMNS["tracks"])]


def most(sigma: float) -> float:
    """The upper bound, for any x, of a density of data with noise sigma: -1/2 log 2 pi sigma^2, nats/sample."""
    return -0.5 * math.log(2 * math.pi * sigma**2)


def smoothed_bound(table: pd.DataFrame) -> pd.DataFrame:
    """The inputs of section 3.4 compared with the most that a density of noisy data can give, and with the own source.

    table: cross_likelihood. p_sigma is a mean of Gaussians of deviation sigma, so it is at most (2 pi sigma^2)^(-T/2)
    for any x: `bound`, in nats/sample. The inputs have no noise; the own source has that of the prior.
    """
    table = members(table)
    table = table[(table["measure"] == "log_prob") & (table["prior_sigma"] != "0")]
    key = ["dataset", "prior", "prior_source", "prior_sigma"]
    own = table[(table["test_source"] == table["prior_source"]) & (table["data_sigma"] == table["prior_sigma"])]
    inputs = table[table["test_source"].str.match("constant_|normal_") & (table["data_sigma"] == "0")]
    joined = inputs.merge(own[[*key, "mean", "low", "high"]], "left", on=key, suffixes=("", "_own"))
    bound = joined["prior_sigma"].astype(float).map(most)
    joined = joined.assign(bound=bound, over_bound=joined["mean"] - bound)
    renamed = {"mean_own": "own_mean", "low_own": "own_low", "high_own": "own_high"}
    return joined.rename(columns=renamed)[list(COLUMNS["smoothed_bound"])]


def spread_of_seeds(per_seed: np.ndarray) -> tuple[int, float, float]:
    """The number of trained replicates, and the lowest and highest of their values."""
    return len(per_seed), float(per_seed.min()), float(per_seed.max())


def gradient_norm(measures: pd.DataFrame, frame: int) -> pd.DataFrame:
    """Mean squared norm of grad log p_sigma(x) over items of the prior's own source at its own sigma, per sample."""
    rows, tracks = [], tracks_of(measures)
    for (dataset, prior), group in by_prior(measures):
        for (prior_source, prior_sigma, _, data_sigma), values in cells(group, "gradient_norm_squared").items():
            items = values.mean(0) / frame
            low, high = intervals.mean(items, tracks[: len(items)])
            rows.append((
                dataset, prior, prior_source, prior_sigma, data_sigma, frame, len(items), items.mean(),
                np.maximum(low, 0), high,  # a square is not below 0
            ))  # fmt: skip
    return under_columns("gradient_norm", rows)


def members(table: pd.DataFrame) -> pd.DataFrame:
    """The table in which a prior that serves all noise levels (prior_sigma `all`) has the sigma that was used."""
    if "data_sigma" not in table:
        return table
    return table.assign(prior_sigma=table["prior_sigma"].where(table["prior_sigma"] != "all", table["data_sigma"]))


def ratio_name(measure: str) -> str:
    """The name of a measure's difference between two priors: log_prob -> log_ratio, code_log_prob -> code_log_ratio."""
    return measure.replace("log_prob", "log_ratio") if "log_prob" in measure else f"{measure}_ratio"


def levels_of(group: pd.DataFrame) -> list[tuple[str, str]]:
    """Every (prior_sigma, data_sigma) at which all sources were measured."""
    return list(
        group.loc[group["test_source"] == "mix", ["prior_sigma", "data_sigma"]].drop_duplicates().itertuples(False)
    )


def measures_of(group: pd.DataFrame) -> list[str]:
    """The measures that a prior itself gives."""
    measures = group.loc[group["test_source"] == "mix", "measure"].unique()
    return [measure for measure in measures if measure not in (*NO_LIKELIHOODS, "complexity_corrected")]


def classification(measures: pd.DataFrame, sources: list[str], frame: int) -> pd.DataFrame:
    """The share of items whose own prior has the highest measure. The measure is log_prob, or the first that exists."""
    rows, tracks = [], tracks_of(measures)
    for (dataset, prior), group in by_prior(measures):
        measure = "log_prob" if "log_prob" in measures_of(group) else measures_of(group)[0]
        values = cells(group, measure)
        for prior_sigma, data_sigma in levels_of(group):
            correct = []
            for truth, test_source in enumerate(sources):
                of_priors = np.stack([values[source, prior_sigma, test_source, data_sigma] for source in sources])
                correct.append(of_priors.argmax(0) == truth)
            all_correct = np.concatenate(correct, axis=1)  # (seeds, items)
            value = float(all_correct.mean())
            low, high = intervals.share(all_correct.mean(0), tracks)
            rows.append((dataset, prior, prior_sigma, data_sigma, frame, all_correct.shape[1], value, low, high,
                         *spread_of_seeds(all_correct.mean(1)), measure))  # fmt: skip
    return under_columns("classification", rows)


def denoising(rows: pd.DataFrame, exact: str | None, frame: int) -> pd.DataFrame:
    """Mean square error of each estimate of a source from its noisy version, and its improvement in SI-SDR.

    rows: those of denoising.evaluate, for every prior. error is the mean square per sample. error_over_limit is the
    error over that of the prior named `exact` on the same items: E[s | x] of the true law, below which no estimate is
    in the mean. It is empty where there is no exact prior (None).
    """
    table, tracks = [], tracks_of(rows)
    by_level = rows[rows["prior"] == exact].groupby(["prior_source", "data_sigma"])
    limits = {key: group.set_index("item")["error"] for key, group in by_level}
    groups = rows.groupby(["dataset", "prior", "prior_source", "prior_sigma", "data_sigma", "estimate"], sort=False)
    for (dataset, prior, source, prior_sigma, data_sigma, estimate), group in groups:
        group = group.assign(better=group["si_sdr"] - group["si_sdr_noisy"])
        errors, better = (group.pivot(index="seed", columns="item", values=name) for name in ("error", "better"))
        items, own_tracks = errors.mean(axis=0).to_numpy(), tracks[: errors.shape[1]]
        gains = better.mean(axis=0).to_numpy()
        ratio, ends, limit = math.nan, intervals.NONE, math.nan
        if (source, data_sigma) in limits:
            least = limits[source, data_sigma][errors.columns].to_numpy()
            limit = least.mean()
            ratio, ends = items.mean() / limit, intervals.ratio(items, least, own_tracks)
        table.append((
            dataset, prior, source, data_sigma, estimate, frame, len(items), ratio, *ends, np.median(gains),
            *intervals.median(gains, own_tracks), prior_sigma, items.mean(), *intervals.mean(items, own_tracks), limit,
            *spread_of_seeds(errors.mean(axis=1).to_numpy()),
        ))  # fmt: skip
    return under_columns("denoising", table)


class TruthViolation(UserError):
    """A learned density is above the true one on the true one's own items, which is impossible."""


def truth_gap(measures: pd.DataFrame, exact: str, error: float, frame: int) -> pd.DataFrame:
    """Mean of log p_sigma - log q over own items at data sigma = prior sigma > 0, per sample and in total nats.

    p_sigma is the prior named `exact`, whose own error is `error` nats in total. By Gibbs' inequality no density q has
    a gap below 0. The intervals contain the integration errors of q and of the exact prior.

    Raises
    ------
    TruthViolation: a gap's whole interval is below 0, or a log_prob is not a number.
    """
    of_truth = cells(measures[measures["prior"] == exact], "log_prob")
    rows = []
    for (dataset, prior), group in by_prior(measures[measures["prior"] != exact]):
        errors = cells(group, "integration_error")
        for key, values in cells(group, "log_prob").items():
            prior_source, prior_sigma, test_source, data_sigma = key
            if test_source != prior_source or data_sigma == "0" or prior_sigma not in (data_sigma, "all"):
                continue
            gaps = of_truth[prior_source, "all", prior_source, data_sigma] - values  # (seeds, items)
            items = gaps.mean(0)
            what = f"{prior} of {prior_source} at sigma {data_sigma}"
            if np.isnan(items).any():
                raise TruthViolation(
                    f"{what}: its log_prob is not a number on {np.isnan(items).sum()} of {len(items)} items of its own "
                    "source: it is computed wrongly, do not use it"
                )
            of_integral = error + (errors[key].mean() if key in errors else 0.0)
            low, high = intervals.mean(items)
            low, high = low - of_integral, high + of_integral
            if high < 0:
                raise TruthViolation(
                    f"{what}: its log_prob is {-items.mean():.2f} nats above the true density's on {len(items)} items "
                    f"of its own source ([{-high:.2f}, {-low:.2f}]), which no density's can be: it is computed "
                    "wrongly, do not use it"
                )
            rows.append((
                dataset, prior, prior_source, prior_sigma, data_sigma, "log_prob", frame, len(items),
                items.mean() / frame, low / frame, high / frame, items.mean(), low, high,
                *spread_of_seeds(gaps.mean(1)), of_integral / frame,
            ))  # fmt: skip
    return under_columns("truth_gap", rows)


def separation(rows: pd.DataFrame, frame: int) -> pd.DataFrame:
    """Median SI-SDR and its improvement over the mix as estimate, per method and source; `all` pools the sources.

    share_above_10_db is the share of sources above 10 dB, with its interval share_low, share_high. share_of_mixes is
    the share of mixes with all sources above 10 dB. accepted is the share of mixes that the method accepted;
    accepted_failures is how many of these have a source below. si_sdr_to_mix_median is the estimate's SI-SDR against
    the mix: it is high for a chain that began at the mix and has not moved.

    If the rows have BSSEval's measures, the table has their medians over the windows that have them, and the share of
    windows that do.
    """
    table, tracks, recorded = [], tracks_of(rows), "sdr" in rows
    for (dataset, method, prior, mix), group in rows.groupby(["dataset", "method", "prior", "mix"], sort=False):
        for source in [*group["source"].unique(), "all"]:
            chosen = group if source == "all" else group[group["source"] == source]
            values, better = (
                chosen.pivot(index="item", columns="source", values=name).to_numpy()
                for name in ("si_sdr", "si_sdr_improvement")
            )
            own_tracks = tracks[: len(values)]
            above, accepted = values > 10, chosen.groupby("item")["accepted"].first().to_numpy()
            share = float(above.mean())
            ends = intervals.share(above.mean(1), own_tracks)
            failures = np.nan if np.isnan(accepted).any() else ((accepted == 1) & ~above.all(1)).sum()
            windows = [chosen[name.removesuffix("_median")].median() for name in BSS_EVAL[:-1]] if recorded else []
            table.append((
                dataset, mix, method, prior, source, frame, len(values), np.median(values),
                *intervals.median(values, own_tracks), np.median(better), better.mean(), share,
                *ends, above.all(1).mean(), *intervals.median(better, own_tracks),
                chosen["consistency"].median(), chosen["stopped"].mean(), accepted.mean(), failures,
                values.min(), values.max(), chosen["si_sdr_to_mix"].median(),
                *windows, *([chosen["sdr"].notna().mean()] if recorded else []),
            ))  # fmt: skip
    columns = [name for name in COLUMNS["separation"] if recorded or name not in BSS_EVAL]
    return pd.DataFrame(table, columns=columns)


def posterior(bounds: pd.DataFrame, frame: int) -> pd.DataFrame:
    """The evidence lower bound and its parts, and the shares of true samples in q's central 50 % and 95 %.

    bounds: rows of `separate_posterior`. elbo (low, high) and its parts log_likelihood, log_prior and entropy are means
    over mixes, in nats of a whole mix of `frame` samples.
    """
    rows, tracks = [], tracks_of(bounds)
    parts, shares = ["log_likelihood", "log_prior", "entropy"], ["inside_50", "inside_95"]
    for key, group in bounds.groupby(["dataset", "mix", "prior", "posterior", "objective", "law", "steps"], sort=False):
        group = group.sort_values("item")
        of_group = tracks[: len(group)]
        elbo = group[parts].sum(axis=1).to_numpy()
        measured = [
            end for name in shares for end in (group[name].mean(), *intervals.mean(group[name].to_numpy(), of_group))
        ]
        ends = intervals.mean(elbo, of_group)
        rows.append((*key, frame, len(group), elbo.mean(), *ends, *group[parts].mean(), *measured))
    return under_columns("posterior", rows)


def acceptance(particles: pd.DataFrame) -> pd.DataFrame:
    """How well the misfit, computed without the truth, tells particles that have every source (above 10 dB).

    particles: rows of `separate` with dataset, mix, method and prior. auroc is that of the misfit. agreement_db_median
    is over the particles of a first round, without the best. For each mix the particle of least misfit is kept.
    accepted_failures counts the mixes that were accepted with a wrong one; accepted_failures_high bounds their share
    among accepted mixes. calls_per_mix counts the calls of denoisers, over all particles, to find sources and to judge
    them. best_of_8 is the share of sources above 10 dB in the particle of least misfit among a mix's first 8.
    """
    rows = []
    for key, group in particles.groupby(["dataset", "mix", "method", "prior"], sort=False):
        right = (group["worst_si_sdr"] > risk.RIGHT).to_numpy()
        misfit, accepted = group["misfit"].to_numpy(), (group["misfit"] <= group["accept"]).to_numpy()
        both = right.any() and not right.all()
        auroc = detection.placements(-misfit[right], -misfit[~right]).mean() if both else np.nan
        kept = group.reset_index(drop=True).groupby("item")["misfit"].idxmin().to_numpy()
        failures = ~right[kept][accepted[kept]]  # for each accepted mix
        first = group[(group["round"] == 0) & (group["agreement_db"] < 60)]
        rows.append((
            *key, len(group), group["item"].nunique(), right.mean(), accepted.mean(), (accepted & ~right).sum(),
            (~accepted & right).sum(), auroc, group.loc[right, "misfit"].max(), group.loc[~right, "misfit"].min(),
            first["agreement_db"].median(), int(group["round"].max()) + 1, len(failures), failures.sum(),
            intervals.share(failures.astype(float))[1], group["calls"].sum() / group["item"].nunique(),
            risk.best_of_first(group),
        ))  # fmt: skip
    return under_columns("acceptance", rows)
