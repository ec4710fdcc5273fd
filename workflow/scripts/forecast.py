"""Forecast jobs, hours and disk of a scale before anything is started, from steps that are measured on this machine.

Each prior's training step, the scoring of an item, and a sampler's step are timed on this machine's device, on noise
instead of data. Hours are those of this device, one job at a time; divide them by the number of jobs at once.
"""

import logging
import time

import tabulate
import torch
from audiopriors import likelihood, registry, runtime
from audiopriors.checkpoints import build_prior
from audiopriors.files import write_bytes
from audiopriors.joint import JointPriors
from audiopriors.optimiser import Adam
from audiopriors.separation import encoder, supervised
from audiopriors.separation.scaled import Scaled

log = logging.getLogger(__name__)

BYTES_A_ROW = 12  # of scores, as parquet
TOGETHER = 2**15  # samples in the batch on which a denoiser is timed
TURNS, LONG = 3, 30.0  # seconds


def seconds(work, device) -> float:
    """The shortest time of a few turns. A turn that takes long is not repeated, as warming up is little of it."""
    taken = []
    while len(taken) < TURNS and sum(taken) < LONG:
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - started)
    return min(taken)


def train_step(model, training: dict, x: torch.Tensor, sigma):
    """One step of the training loop on a batch, as a function to be timed."""
    optimiser = Adam(model, training["beta2"], training["average"])

    def step() -> None:
        model.zero_grad()
        model.loss(x, x, sigma).backward()
        optimiser.step(1e-6)

    return step


def seconds_of_call(prior, x: torch.Tensor, sigma: float, planned: bool, device) -> float:
    """Seconds for one wave of what a sampler needs from a prior: its denoiser, or a density's gradient."""
    if not planned:
        return seconds(lambda: prior.score(x, sigma), device) / len(x)
    x = 0.3 * torch.randn(max(len(x), TOGETHER // x.shape[2]), 1, x.shape[2], device=device)
    return seconds(lambda: Scaled(prior).denoise(x, 0.129), device) / len(x)


def waves_drawn(prior: Scaled, frame: int, sigma: float):
    """Drawing the waves that a posterior model is trained on, as a function to be timed."""
    return lambda: prior.prior.waves(prior.items, frame, sigma, torch.Generator())


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--data", "the data set's items, for a prior that is made of the data's own law", required=False)
    program.output("--output", "the table (Markdown)")
    arguments = program.arguments()
    settings = arguments.settings
    device = runtime.prepare(settings["threads"])
    frame, sources, evaluation = settings["frame"], settings["sources"], settings["evaluation"]
    rows, disk, built = [], settings["bytes_of_data"], {}

    def add(what: str, name: str, jobs: int, unit: str, units: float, each: float) -> None:
        rows.append([what, name, jobs, unit, f"{units:.3g}", f"{each:.3g}", f"{jobs * units * each / 3600:.3g}"])
        log.info("%s, %s: %.3g seconds of one of the %s", what, name, each, unit)

    for name, described in settings["priors"].items():
        prior = build_prior(described["family"], described["model"]).to(device)
        one_for_all = described["levels"] == ["all"]
        sigma = 0.129 if one_for_all else float(described["levels"][0])
        if "jointly" in described:  # trained together, see below; each in a file of its own, too
            disk += 2 * 4 * described["trainings"] * sum(parameter.numel() for parameter in prior.parameters())
        elif "training" in described:
            x = 0.3 * torch.randn(described["training"]["batch"], 1, frame, device=device)
            level = torch.full((len(x),), sigma, device=device) if one_for_all else sigma
            prior.initialise(x, x, level)
            each = seconds(train_step(prior, described["training"], x, level), device)
            chain = described["training"]["steps"] + (len(described["levels"]) - 1) * (described["finetune_steps"] or 0)
            add("training", name, described["trainings"], "steps", chain / len(described["levels"]), each)
            disk += 4 * described["trainings"] * sum(parameter.numel() for parameter in prior.parameters())
        else:
            prior.fit(registry.open_data(settings["data"], arguments.data), sources[0])
        built[name] = prior.eval().requires_grad_(False)
        few = 0.3 * torch.randn(2, 1, frame, device=device)
        with torch.no_grad():
            each = seconds(lambda prior=prior, few=few, sigma=sigma: prior.measures(few, sigma), device) / len(few)
        items = likelihood.scored_items(
            likelihood.Evaluation(**evaluation), described["levels"], described["data_levels"], len(sources),
            settings["test_items"], settings["validation_items"],
        )  # fmt: skip
        add("evaluation", name, described["evaluations"], "items", items, each)
        disk += BYTES_A_ROW * described["evaluations"] * items * 2
        runs = [run for run in settings["runs"] if run["prior"] == name]
        curves = described["error_curves"]
        call = {
            planned: seconds_of_call(prior, few, sigma, planned, device)
            for planned in {run["planned"] for run in runs} | ({True} if curves else set())
        }
        for run in runs:
            add(run["what"], f"{name}, {run['method']}", 1, "calls", run["calls"], call[run["planned"]])
        if curves:
            of_curve = described["error_curve"]
            calls = min(of_curve["items"], settings["validation_items"]) * of_curve["levels"]
            add("error curve", name, curves, "calls", calls, call[True])
    for described in settings["separators"]:
        separator, training, mix = supervised.build(described).to(device), described["training"], described["mix"]
        x = 0.3 * torch.randn(training["batch"], len(mix["sources"]) + 1, frame, device=device)  # and the mix
        separator.initialise(x, x, 0.0)
        each = seconds(train_step(separator, training, x, 0.0), device)
        add("training", f"{described['name']}, {mix['name']}", 1, "steps", training["steps"], each)
    for described in settings["posteriors"]:
        training, mix, sigma = described["training"], described["mix"], described["sigma"]
        model = encoder.build({**described, **described["posterior"]})
        priors = [Scaled(built[described["prior"]], gain) for gain in mix["gains"]]
        objective = encoder.Objective(
            model, described["posterior"]["objective"], priors, sigma, described["posterior"]["mixture_width"]
        ).to(device)  # fmt: skip
        x = 0.1 * torch.randn(training["batch"], len(priors), frame, device=device)
        objective.initialise(x, x, sigma)
        name = f"{described['name']}, {mix['name']}"
        if described["posterior"]["objective"] == "sleep":
            waves = round(len(priors) * described["posterior"]["waves"] / encoder.KEPT)
            each = seconds(waves_drawn(priors[0], frame, sigma), device) / priors[0].items
            add("waves to train on", name, 1, "waves", waves, each)
        add("training", name, 1, "steps", training["steps"], seconds(train_step(objective, training, x, sigma), device))
        with torch.no_grad():
            each = seconds(lambda objective=objective, x=x, sigma=sigma: objective.loss(x, x, sigma), device) / len(x)
        add("separation", name, 1, "mixes", described["items"], each)
    for described in settings["joint"]:
        priors = [build_prior(described["family"], described["model"]) for _ in sources]
        training, sigma = described["training"], float(described["sigma"])
        joint = JointPriors(priors, **described["jointly"], frame=frame).to(device)
        x = 0.3 * torch.randn(training["batch"], len(sources), frame, device=device)
        for prior in priors:
            prior.initialise(x[:, :1], x[:, :1], sigma)
        each = seconds(train_step(joint, training, x, sigma), device)
        add("training together", described["prior"], 1, "steps", training["steps"], each)
    total = sum(float(row[-1]) for row in rows)
    head = ["what", "prior", "jobs", "unit", "units a job", "seconds a unit", "hours"]
    text = (
        f"{settings['title']}: {sum(row[2] for row in rows)} jobs, {total:.3g} hours of {runtime.current.device} "
        f"({settings['threads']} thread{'s' * (settings['threads'] > 1)}), {disk / 1e9:.2g} GB of results\n\n"
        f"{tabulate.tabulate(rows, head, tablefmt='pipe', disable_numparse=True)}\n\n"
        "Not counted: data, samples, denoising, references, exact posteriors, tables, figures, and the rounds after a "
        "sampler's first.\n"
    )
    write_bytes(arguments.output, text.encode())


if __name__ == "__main__":
    runtime.run(main)
