"""Compute the tables of likelihood, detection, classification and gradient norm from the measures of all priors."""

from audiopriors import detection_tables, files, runtime, tables


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--measures", "rows of evaluate_prior", many=True)
    for name in ("cross_likelihood", "detection", "classification", "gradient_norm"):
        program.output(f"--{name.replace('_', '-')}", "that table (CSV)")
    arguments = program.arguments()
    settings, measures = arguments.settings, files.read_rows(arguments.measures)
    frame, sources = settings["frame"], settings["sources"]
    tables.write(tables.cross_likelihood(measures, frame), arguments.cross_likelihood)
    tables.write(detection_tables.detection_table(measures, sources, frame), arguments.detection)
    tables.write(tables.classification(measures, sources, frame), arguments.classification)
    tables.write(tables.gradient_norm(measures, frame), arguments.gradient_norm)


if __name__ == "__main__":
    runtime.run(main)
