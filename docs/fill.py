"""Fill README.md and the pages of docs/ from docs/templates: their numbers come from docs/quick and the config.

A template is Markdown with Jinja2 expressions. `row("separation", mix="four", ...)` is a row of the table
docs/quick/separation.csv, and `| interval("si_sdr_median")` prints one of its numbers with the 95 % interval. A term of
the glossary is linked where a page uses it first.
"""

import functools
import math
import re
from pathlib import Path

import jinja2
import pandas as pd
import yaml
from audiopriors import columns, intervals, tables
from audiopriors.pages.numbers import number
from audiopriors.pipeline.config import scales
from audiopriors.pipeline.scale import Scale
from audiopriors.shipped_priors import bundle

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
TEMPLATES = DOCS / "templates"
CONFIG = {
    key: value
    for name in ("config", "scales", "claims")
    for key, value in yaml.safe_load((ROOT / f"{name}.yaml").read_text("utf-8")).items()
}
# Where the ends of an interval are not in low and high, nor in NAME_low and NAME_high.
ENDS = dict.fromkeys((*columns.INTERVALS, "measured"), "") | {
    "share_above_10_db": "share_", "published_score_here": "published_",
}  # fmt: skip


@functools.cache
def table(name: str) -> pd.DataFrame:
    """The table docs/quick/NAME.csv; a prior of all noise levels stands there at each level that it is asked at."""
    read = tables.read_csv(DOCS / "quick" / f"{name}.csv")
    return tables.members(read) if {"prior_sigma", "data_sigma"} <= set(read) else read


def rows(name: str, **where) -> list[dict]:
    """The rows of a table whose columns have these values; a list allows each of its values."""
    chosen = table(name)
    for column, value in where.items():
        chosen = chosen[chosen[column].isin(value if isinstance(value, list) else [value])]
    return chosen.to_dict("records")


def row(name: str, **where) -> dict:
    """The only such row."""
    found = rows(name, **where)
    if len(found) != 1:
        raise LookupError(f"{name} has {len(found)} rows with {where}, not one")
    return found[0]


def interval(values: dict, column: str, digits: int = 1) -> str:
    """A column's value with its 95 % interval, such as 37.4 [36.6, 38.1]."""
    low, high = (values[f"{ENDS.get(column, f'{column}_')}{end}"] for end in ("low", "high"))
    text = number(values[column], digits)
    return text if math.isnan(low) else f"{text} [{number(low, digits)}, {number(high, digits)}]"


def percent(share: float) -> str:
    """A share as a whole number of hundredths."""
    return f"{number(100 * share, 0)} %"


def worst_pair(prior: str, measure: str, sigmas: list[str], name: str = "detection") -> dict:
    """The lowest AUROC of all pairs of sources at these noise levels, with the interval of the minimum."""
    pairs = table(name)
    sources = pairs["prior_source"].unique()
    pairs = pairs[
        (pairs["prior"] == prior) & (pairs["measure"] == measure) & pairs["prior_sigma"].isin(sigmas)
        & (pairs["data_sigma"] == pairs["prior_sigma"]) & pairs["test_source"].isin(sources)
        & (pairs["test_source"] != pairs["prior_source"])
    ]  # fmt: skip
    if pairs.empty:
        return dict.fromkeys(("auroc", "mean", "low", "high"), math.nan)
    values = pairs["auroc"].to_numpy()
    low, high = intervals.extreme("min", values, pairs[["low", "high"]].to_numpy(), bounded=True)
    return {"auroc": values.min(), "mean": values.mean(), "low": low, "high": high}


def noise_cost(prior: str, sigma: str) -> str:
    """What noise of a prior's own level costs: the range of its sources' loss of mean log p, in nats/sample."""
    own = {
        noise: {each["prior_source"]: each["mean"]
                for each in rows("peakedness_toy", prior=prior, prior_sigma=sigma, data_sigma=noise)}
        for noise in ("0", sigma)
    }  # fmt: skip
    costs = [own["0"][source] - own[sigma][source] for source in own["0"]]
    return span(costs, 2)


def span(values: list[float], digits: int) -> str:
    """The least and the greatest of some values."""
    ends = [number(end, digits) for end in (min(values), max(values))]
    return " to ".join(dict.fromkeys(ends))


def seconds(what: str, name: str = "costs", **where) -> float:
    """Seconds of one core that a kind of job took, over all of its jobs."""
    return sum(each["seconds"] for each in rows(name, what=what, **where))


def per_second(dataset: str, prior: str, method: str, mixes: int) -> float:
    """Seconds of one core for a second of the music that a sampler separates at the quick scale; NaN without one."""
    config = CONFIG["datasets"][dataset]["settings"] | CONFIG["scales"]["quick"]["datasets"][dataset]
    taken = seconds("separate", f"{dataset}/costs", prior=prior, method=method)
    return taken / (mixes * config["frame"] / config["rate"]) or math.nan


def worst_gap(prior: str, sigma: str) -> dict:
    """The largest truth gap of all sources at a noise level, with the interval of the maximum; NaN without one."""
    of_sources = rows("truth_gap", prior=prior, data_sigma=sigma)
    if not of_sources:
        return dict.fromkeys(("gap_mean", "low", "high"), math.nan)
    values, ends = (pd.DataFrame(of_sources)[names].to_numpy() for names in ("gap_mean", ["low", "high"]))
    low, high = intervals.extreme("max", values, ends, bounded=False)
    return of_sources[0] | {"gap_mean": values.max(), "low": low, "high": high}


def by_gap(sigma: str) -> list[str]:
    """The priors of the table of truth gaps, the nearest to the truth first; last, those without that noise level."""
    gaps = {prior: worst_gap(prior, sigma)["gap_mean"] for prior in table("truth_gap")["prior"].unique()}
    return sorted(gaps, key=lambda prior: (math.isnan(gaps[prior]), gaps[prior]))


def by_ratio(sigma: str) -> list[str]:
    """The priors whose ratio is measured at that noise level, the best worst pair first."""
    pairs = {prior: worst_pair(prior, "log_ratio", [sigma]) for prior in table("detection")["prior"].unique()}
    ranks = {prior: (pair["auroc"], pair["mean"]) for prior, pair in pairs.items() if not math.isnan(pair["auroc"])}
    return sorted(ranks, key=lambda prior: ranks[prior], reverse=True)


@functools.cache
def quick() -> Scale:
    """The quick scale, in which each prior has what it takes from its family."""
    return Scale("quick", scales(CONFIG)["quick"])


def trainings(dataset: str, name: str) -> list[tuple[int, float]]:
    """Steps and seconds of one core of each training that a prior, encoder or separator takes, in their order.

    Steps are those of one source, for all noise levels. Seconds are those of all sources.
    """
    data, costs = quick().dataset(dataset), of(dataset, "costs")
    if name in data.supervised:
        return [(data.separator_training(name)["steps"], seconds("train_separator", costs, prior=name))]
    if name in data.posteriors:
        encoder = data.posteriors[name]
        before = trainings(dataset, encoder.get("start") or encoder["prior"])
        return [*before, (encoder["training"]["steps"], seconds("train_posterior", costs, prior=name))]
    prior = quick().prior(name)
    before = trainings(dataset, prior.jointly["starts_from"]) if prior.jointly else []
    steps = sum((prior.training_of(sigma) or {"steps": 0})["steps"] for sigma in prior.levels)
    taken = sum(seconds(what, costs, prior=name) for what in ("train_prior", "train_jointly"))
    return [*before, (steps, taken)]


def training_cost(dataset: str, name: str) -> str:
    """The steps of each training that a prior, encoder or separator takes, and the seconds of all."""
    parts = trainings(dataset, name)
    steps, taken = " + ".join(number(steps, 0) for steps, _ in parts), sum(taken for _, taken in parts)
    return f"{steps} steps, {number(taken, 0)}\N{NO-BREAK SPACE}s"


def separations(dataset: str, mix: str) -> list[dict]:
    """The rows of all sources of a mix, with `takes`, what is trained for each ("": nothing), and seconds `per_mix`.

    What begins at an encoder takes that, as it takes its prior in turn. `seeds` is 1 or, of what is not trained, 0:
    separations use the first training of each.
    """
    data, costs = quick().dataset(dataset), of(dataset, "costs")
    trained, entries = {**data.supervised, **data.posteriors, **quick().priors}, []
    for result in rows(of(dataset, "separation"), mix=mix, source="all"):
        method, prior = result["method"], result["prior"]
        begins = quick().settings["separation"]["methods"].get(method, {}).get("posterior")
        takes = next((name for name in (begins, method, prior) if name in trained), "")
        taken = seconds("separate", costs, method=method, prior=prior) or seconds(
            "separate_posterior", costs, prior=method
        )
        mixes = sum(each["n"] for each in rows(of(dataset, "separation"), method=method, prior=prior, source="all"))
        entries.append(result | {"takes": takes, "seeds": int(takes != ""), "per_mix": taken / mixes or math.nan})
    return entries


def of(dataset: str, name: str) -> str:
    """The name of a data set's table: that of toy data lies above the others."""
    return name if dataset == "toy" else f"{dataset}/{name}"


def card(name: str) -> dict:
    """The card of the shipped priors of a data set."""
    return bundle(name).card


def minutes(name: str, unit: int = 10) -> int:
    """Minutes that all jobs of a table of costs take on two cores, rounded up: programs have to start, too."""
    return unit * math.ceil(table(name)["seconds"].sum() / 2 / 60 / unit)


def title(name: str) -> str:
    """What a reader calls a prior, method or mix of the config."""
    return CONFIG["titles"].get(name, name.replace("_", " "))


def small_models(claim: str) -> str:
    """The verdict on a claim that models below the paper's size can give; "" of one that others decide."""
    sources = {source for dataset in CONFIG["datasets"].values() for source in dataset["sources"]}
    entries = (entry for entry in CONFIG["claims"]
               if any(entry["claim"].format(prior_source=source) == claim for source in sources))  # fmt: skip
    return next(entries).get("small_models", "")


def terms() -> dict[str, list[str]]:
    """The names of each term of the glossary, such as Encoder and posterior model, by the anchor of its heading."""
    headings = re.findall(r"^### (.+)$", (TEMPLATES / "glossary.md").read_text("utf-8"), re.MULTILINE)
    return {anchor(heading): heading.split(", ") for heading in headings}


def anchor(heading: str) -> str:
    """The anchor that GitHub and the site give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


SKIPPED = re.compile(
    r"^```.*?^```$|^#+ .*?$|^!\[.*?$|<!--.*?-->|!?\[[^\]]*\]\([^)]*\)|`[^`]*`|https?://\S+", re.MULTILINE | re.DOTALL
)


def linked(page: str, glossary: str) -> str:
    """The page with each of the glossary's terms linked where running text uses it first."""
    taken = [match.span() for match in SKIPPED.finditer(page)]
    places = []
    # Longer terms first: "score prior" is no use of "prior".
    for place, names in sorted(terms().items(), key=lambda term: -max(map(len, term[1]))):
        exact = all(name.isupper() for name in names)
        pattern = rf"(?<![\w-])({'|'.join(map(re.escape, names))})s?(?![\w-])"
        for match in re.finditer(pattern, page, 0 if exact else re.IGNORECASE):
            if not any(first < match.end() and match.start() < last for first, last in taken):
                taken.append(match.span())
                places.append((*match.span(), place))
                break
    for start, end, place in sorted(places, reverse=True):
        page = f"{page[:start]}[{page[start:end]}]({glossary}#{place}){page[end:]}"
    return page


def environment() -> jinja2.Environment:
    """Templates with the functions of this file."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, keep_trailing_newline=True,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals.update(
        row=row, rows=rows, worst_pair=worst_pair, noise_cost=noise_cost, span=span, sum=sum, seconds=seconds,
        per_second=per_second, minutes=minutes, title=title, small_models=small_models, config=CONFIG,
        worst_gap=worst_gap, by_gap=by_gap, by_ratio=by_ratio, training_cost=training_cost, separations=separations,
        card=card,
    )  # fmt: skip
    made.filters.update(number=number, interval=interval, percent=percent)
    return made


def pages() -> dict[Path, str]:
    """Every filled page by its path."""
    templates = environment()
    filled = {}
    for template in sorted(TEMPLATES.glob("*.md")):
        readme = template.name == "README.md"
        text = templates.get_template(template.name).render()
        if template.name != "glossary.md":
            text = linked(text, "docs/glossary.md" if readme else "glossary.md")
        filled[(ROOT if readme else DOCS) / template.name] = text
    return filled


def main() -> None:
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
