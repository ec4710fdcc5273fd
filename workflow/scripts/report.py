"""Write the report: one HTML file, readable offline, with every figure and table and what to look for in it."""

import os
import subprocess
import sys
import tempfile

import yaml
from audiopriors import runtime


def main() -> None:
    program = runtime.Program(__doc__)
    program.input("--snakefile", "the workflow")
    program.input("--files", "figures and tables of the report", many=True)
    program.output("--output", "HTML")
    arguments = program.arguments()
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "config.yaml")
        with open(config, "w", encoding="utf-8") as file:
            yaml.safe_dump(arguments.settings["config"], file, sort_keys=False)
        page = os.path.join(folder, "report.html")
        # Snakemake's own reporter, on the finished files; the running workflow holds the lock, this one only reads.
        command = [sys.executable, "-m", "snakemake", "--snakefile", arguments.snakefile, "--configfile", config,
                   "--nolock", "--report", page, "--", *arguments.files]  # fmt: skip
        # It reads tables and pages in the locale's encoding.
        status = subprocess.run(command, env=os.environ | {"PYTHONUTF8": "1"}, check=False).returncode
        if status:
            sys.exit(status)
        os.makedirs(os.path.dirname(arguments.output), exist_ok=True)
        subprocess.run(["cp", page, f"{arguments.output}.tmp"], check=True)
        os.replace(f"{arguments.output}.tmp", arguments.output)


if __name__ == "__main__":
    runtime.run(main)
