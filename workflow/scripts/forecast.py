"""What a scale will take: jobs, hours and disk, from steps that are measured here and now, before anything is started.

Each prior's training step, the scoring of an item, and a sampler's step are timed on this machine's device, on noise
in place of data. Hours are of that device, one job at a time; divide by the number of jobs at once.
"""

import logging
import time

import tabulate
import torch
from audiopriors import likelihood, registry, runtime, training
from audiopriors.checkpoints import build_prior
from audiopriors.files import write_bytes
from audiopriors.separation import running as separation
from audiopriors.separation import supervised

log = logging.getLogger(__name__)

BYTES_A_ROW = 12  # of scores, as parquet
TURNS, LONG = 3, 30.0  # seconds


def seconds(work, device) -> float:
    """The shortest of a few turns; one that takes long needs no other, as warming up is little of it."""
    taken = []
    while len(taken) < TURNS and sum(taken) < LONG:
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - started)
    return min(taken)


def train_step(prior, told: dict, x: torch.Tensor):
    """One step of the training loop on a batch, as something to be timed."""
    optimiser = training.Adam(prior, told["beta2"], told["average"])

    def step() -> None:
        prior.zero_grad()
        prior.loss(x, x).backward()
        optimiser.step(1e-6)

    return step


def sampler_call(made, member, x: torch.Tensor, planned: bool):
    """One call of what a sampler needs of a prior, as something to be timed: its denoiser, or a density's gradient."""
    if not planned:
        return lambda: likelihood.gradient(member, x)
    estimate = separation.denoiser(made)
    return lambda: estimate(x, 0.129)


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--data", "the data set's items, for a prior that is made of the data's own law", required=False)
    program.output("--output", "the table (Markdown)")
    arguments = program.arguments()
    settings = arguments.settings
    device = runtime.prepare(settings["threads"])
    frame, sources, evaluation = settings["frame"], settings["sources"], settings["evaluation"]
    rows, disk = [], settings["bytes_of_data"]

    def add(what: str, name: str, jobs: int, unit: str, units: float, each: float) -> None:
        rows.append([what, name, jobs, unit, f"{units:.3g}", f"{each:.3g}", f"{jobs * units * each / 3600:.3g}"])
        log.info("%s, %s: %.3g seconds of one of the %s", what, name, each, unit)

    for name, prior in settings["priors"].items():
        made = build_prior(prior["family"], prior["model"]).to(device)
        one_for_all = prior["levels"] == ["all"]
        sigma = 0.129 if one_for_all else float(prior["levels"][0])
        if "training" in prior:
            x = 0.3 * torch.randn(prior["training"]["batch"], 1, frame, device=device)
            made.at(torch.full((len(x),), sigma, device=device) if one_for_all else sigma)
            made.initialise(x, x)
            each = seconds(train_step(made, prior["training"], x), device)
            chain = prior["training"]["steps"] + (len(prior["levels"]) - 1) * (prior["finetune_steps"] or 0)
            add("training", name, prior["trainings"], "steps", chain / len(prior["levels"]), each)
            disk += 4 * prior["trainings"] * sum(parameter.numel() for parameter in made.parameters())
        else:
            made.fit(registry.open_data(settings["data"], arguments.data), sources[0])
        made.eval().requires_grad_(False)
        member, few = made.at(sigma), 0.3 * torch.randn(2, 1, frame, device=device)
        with torch.no_grad():
            each = seconds(lambda member=member, few=few: member.scores(few), device) / len(few)
        items = likelihood.scored_items(
            likelihood.Evaluation(**evaluation), prior["levels"], prior["data_levels"], len(sources),
            settings["test_items"], settings["validation_items"],
        )  # fmt: skip
        add("evaluation", name, prior["evaluations"], "items", items, each)
        disk += BYTES_A_ROW * prior["evaluations"] * items * 2
        runs = [run for run in settings["runs"] if run["prior"] == name]
        curves = prior["error_curves"]
        call = {
            planned: seconds(sampler_call(made, member, few, planned), device) / len(few)
            for planned in {run["planned"] for run in runs} | ({True} if curves else set())
        }
        for run in runs:
            add(f"separation, {run['mix']}", f"{name}, {run['method']}", 1, "calls", run["calls"], call[run["planned"]])
        if curves:
            of_curve = settings["error_curve"]
            calls = min(of_curve["items"], settings["validation_items"]) * of_curve["levels"]
            add("error curve", name, curves, "calls", calls, call[True])
    for told in settings["separators"]:
        made = supervised.build(told).to(device)
        x = 0.3 * torch.randn(told["training"]["batch"], len(told["mix"]["sources"]), frame, device=device)
        made.initialise(x, x)
        each = seconds(train_step(made, told["training"], x), device)
        add("training", f"supervised, {told['mix']['name']}", 1, "steps", told["training"]["steps"], each)
    total = sum(float(row[-1]) for row in rows)
    head = ["what", "prior", "jobs", "unit", "units a job", "seconds a unit", "hours"]
    text = (
        f"{settings['title']}: {sum(row[2] for row in rows)} jobs, {total:.3g} hours of {runtime.current.device} "
        f"({settings['threads']} thread{'s' * (settings['threads'] > 1)}), {disk / 1e9:.2g} GB of results\n\n"
        f"{tabulate.tabulate(rows, head, tablefmt='pipe', disable_numparse=True)}\n\n"
        "Not counted: data, samples, references, tables and figures, and the rounds after a sampler's first.\n"
    )
    write_bytes(arguments.output, text.encode())


if __name__ == "__main__":
    runtime.run(main)
