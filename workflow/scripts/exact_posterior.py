"""Draw from the exact posterior of the parameters of test mixes, whose law is known, and check how exact it is."""

import logging

import torch
from audiopriors import files, registry, runtime
from audiopriors.fidelity import running
from audiopriors.separation.running import priors_of
from audiopriors.settings import Fidelity, Tempering

log = logging.getLogger(__name__)


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--data", "the data set's items")
    program.input("--priors", "the exact prior of each source; in any order", many=True)
    program.output("--draws", "shares of each parameter's law below it (items, draws, sources, 3) (npy)")
    program.output("--rows", "what each measure of fidelity is for exact draws (parquet)")
    arguments = program.arguments()
    settings, mix = arguments.settings, arguments.settings["mix"]
    runtime.prepare(settings["threads"])
    data, cpu = registry.open_data(settings["data"], arguments.data), torch.device("cpu")
    fidelity, seed = Fidelity(**settings["fidelity"]), tuple(settings["seed"])
    problem, priors, truth, numbers = running.problem_of(
        data, mix, fidelity.items, settings["frame"], priors_of(arguments.priors, cpu)
    )
    tempering = Tempering(**settings["tempering"])
    draws, errors = running.exact_posterior(problem, mix, tempering, fidelity.error, (*seed, "draws"))
    log.info("error of the exact posterior: mean %.3f, largest %.3f of its deviation", errors.mean(), errors.max())
    rows = running.of_exact_draws(problem, priors, draws, truth, fidelity, (*seed, "measures"))
    rows = rows.assign(error=errors[rows["item"]], test_item=numbers.numpy()[rows["item"]])
    if mix["unison"]:  # their true parameters do not have the priors' law
        rows[["truth_50", "truth_95"]] = float("nan")
    labels = {"dataset": settings["dataset"], "mix": mix["name"], "method": running.EXACT, "prior": settings["prior"]}
    files.write_rows(rows.assign(**labels), arguments.rows)
    files.write_array(draws.numpy(), arguments.draws)


if __name__ == "__main__":
    runtime.run(main)
