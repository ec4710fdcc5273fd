# Gives the rule files the scales, and what each rule asks of a data set, a program or a cluster.
# What is known of paths, settings, jobs, tables and figures is in workflow/scripts/audiopriors/pipeline.

import json
import os
import sys
from functools import partial
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

# The folder `workflow`, also where another workflow has this one as a module; relative, so that a moved folder does
# not rebuild everything.
FOLDER = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent
WORKFLOW = Path(os.path.relpath(FOLDER))
SCRIPTS = WORKFLOW / "scripts"
if not SCRIPTS.is_dir():
    raise WorkflowError("audiopriors runs from a clone: see `As a module` in its docs/extending.md")
sys.path.insert(0, str(SCRIPTS))

from audiopriors import shipped_priors
from audiopriors.audio import roots
from audiopriors.errors import UserError
from audiopriors.pipeline import code, inputs, jobs, paths, programs, recordings, shipped, story, surroundings
from audiopriors.pipeline.config import scales
from audiopriors.pipeline.figures import CAPTIONS, FIGURES
from audiopriors.pipeline.scale import Scale
from audiopriors.pipeline.tables import TABLES, program_of

try:
    for folder in (FOLDER.parent.absolute(), Path.cwd()):
        surroundings.check_folder(folder)
    # An environment of conda is activated by each job. If this PATH had an interpreter first, it might stay first.
    if DeploymentMethod.CONDA not in workflow.deployment_settings.deployment_method:
        surroundings.set_interpreter_of_jobs(sys.executable)
    FILE = recordings.file_of(config, first=workflow.is_main_process)
except UserError as problem:
    raise WorkflowError(str(problem))

try:
    SCALES = {name: Scale(name, settings) for name, settings in scales(config).items()}
    WITH_SHIPPED = SCALES | ({shipped.SCALE: shipped.scale(SCALES["quick"])} if "quick" in SCALES else {})
except UserError as problem:
    files = ", ".join(map(str, workflow.configfiles)) or "the configuration"
    raise WorkflowError(
        f"{files} cannot be used:\n" + "\n".join(f"  {line}" for line in str(problem).splitlines())
    )


wildcard_constraints:
    scale="[a-z0-9_]+",
    dataset="[a-z0-9_]+",
    prior="[a-z0-9_]+",
    prior_source="[a-z0-9_]+",
    sigma=r"[0-9.]+|all",
    replicate="[0-9]+",
    method="[a-z0-9_]+",
    mix="[a-z0-9_]+",
    posterior="[a-z0-9_]+",
    recording="[^/]+",
    name="[a-z0-9_]+",


def scale_of(wildcards):
    """The scale in the path."""
    if wildcards.scale not in WITH_SHIPPED:
        raise WorkflowError(
            f"there is no scale {wildcards.scale!r} in the config; there are {', '.join(SCALES)}"
        )
    return WITH_SHIPPED[wildcards.scale]


def asks(question):
    """The function of wildcards that gives question(data set, wildcards); a mistake of the user's is one sentence."""

    def answer(wildcards):
        try:
            return question(scale_of(wildcards).dataset(wildcards.dataset), wildcards)
        except UserError as problem:
            raise WorkflowError(str(problem))

    return answer


def settings(rule):
    """What the program of a rule gets of the config, as JSON."""

    def of_job(data, wildcards):
        of_rule = getattr(programs, rule)
        if data.scale.name == shipped.SCALE:
            of_rule = partial(shipped.settings, rule)
        return json.dumps(of_rule(data, wildcards), sort_keys=True)

    return asks(of_job)


def outputs_of(rule, output, *alike):
    """An output of all jobs of a rule, or of those that have the wildcards `alike` as here."""
    return asks(
        lambda data, wildcards: jobs.select(data, rule, output, **{key: wildcards[key] for key in alike})
    )


def script(name):
    """The program of a rule, which has the same name."""
    return str(SCRIPTS / f"{name}.py")


def library(name, **loaded):
    """The library's files that change the result of a program, see pipeline/code.py: inputs, so that they rerun it."""
    return [str(SCRIPTS / "audiopriors" / path) for path in code.of_program(name, **loaded)]


def library_of_prior(name):
    """The same for a program that loads the data set and the prior in the path."""
    return asks(
        lambda data, wildcards: library(
            name, data=data.kind, families=[data.scale.prior(wildcards.prior).family]
        )
    )


def caption_of_dataset(choose):
    """The caption that `choose` gives for a data set, with what the path and the data set say filled in."""
    return asks(lambda data, wildcards: choose(data, wildcards).format(**data.facts))


def shown_by(wildcards):
    """The scale and the names of the data sets that a page is about: that in its path, or all that the scale builds."""
    scale = scale_of(wildcards)
    return scale, [wildcards.dataset] if "dataset" in wildcards.keys() else scale.settings["build"]


def of_story(what):
    """The files that a run's page reads, by the option of its program."""
    return lambda wildcards: story.inputs(*shown_by(wildcards))[what]


def recording(wildcards):
    """The variable that has the path of the recording in the path, as its program reads it from the shell.

    It is no input: its name in paths says what it holds.
    """
    try:
        recordings.check_file(wildcards.recording, FILE, config, for_cluster=workflow.non_local_exec)
    except UserError as problem:
        raise WorkflowError(str(problem))
    return recordings.SONG if wildcards.recording == roots.REAL_SONG else recordings.FILE


def minutes(key):
    """Run time asked for of a cluster: the config's, times the attempt, up to the longest. Without one a year."""

    def asked(wildcards, attempt):
        if not workflow.non_local_exec_or_dryrun and workflow.is_main_process:
            return 525600
        resources = scale_of(wildcards).settings["resources"]
        return min(resources[key] * attempt, resources["longest_minutes"])

    return asked


def memory(wildcards, attempt):
    return scale_of(wildcards).settings["resources"]["mem_mb"] * attempt


def gpu(wildcards):
    return scale_of(wildcards).settings["resources"]["gpu"]


def threads_of(wildcards):
    return scale_of(wildcards).settings["threads"]


# What every job's record of its tables refers to, see audiopriors/provenance.py; and the recordings of files.smk.
os.environ |= {
    "AUDIOPRIORS_CONFIGURATIONS": json.dumps({scale.name: scale.record for scale in SCALES.values()}),
    recordings.FILE: FILE,
    recordings.SONG: str(roots.real_song()),
}
