"""How far every density is from the true one, on the true one's own items; stops if one is impossibly near."""

from audiopriors import files, registry, runtime, tables


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--scores", "rows of evaluate_prior, the exact prior's among them", many=True)
    program.output("--output", "the table (CSV)")
    arguments = program.arguments()
    settings = arguments.settings
    measures = files.read_rows(arguments.scores)
    error = registry.load("priors", "exact").ERROR
    gaps = tables.truth_gap(measures, settings["exact"], error, settings["frame"], settings["bootstrap"])
    tables.write(gaps, arguments.output)


if __name__ == "__main__":
    runtime.run(main)
