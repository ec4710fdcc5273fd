# Gives the other files the configuration of each scale, merged and validated, and the helpers below.

import hashlib
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# The folder `workflow`, also where another workflow has this one as a module; relative, so that a moved folder does
# not rebuild everything.
WORKFLOW = Path(os.path.relpath(Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent))
SCRIPTS = WORKFLOW / "scripts"
if not SCRIPTS.is_dir():
    raise WorkflowError("audiopriors runs from a clone: see `As a module` in its README")
sys.path.insert(0, str(SCRIPTS))

from audiopriors.pipeline import config as settings_of_config
from audiopriors.audio import roots

try:
    SCALES = settings_of_config.scales(config)
except settings_of_config.ConfigError as problem:
    files = ", ".join(map(str, workflow.configfiles)) or "the configuration"
    raise WorkflowError(
        f"{files} cannot be used:\n" + "\n".join(f"  {line}" for line in str(problem).splitlines())
    )


wildcard_constraints:
    scale="[a-z0-9_]+",
    dataset="[a-z0-9_]+",
    family="[a-z0-9_]+",
    source="[a-z0-9_]+",
    sigma=r"[0-9.]+|all",
    replicate="[0-9]+",
    method="[a-z0-9_]+",
    mix="[a-z0-9_]+",
    name="[a-z0-9_]+",


def at(wildcards):
    """The configuration of the scale in the path."""
    if wildcards.scale not in SCALES:
        raise WorkflowError(
            f"there is no scale {wildcards.scale!r} in the config; there are {', '.join(SCALES)}"
        )
    return SCALES[wildcards.scale]


def dataset(wildcards):
    """The data set in the path."""
    there = at(wildcards)["datasets"]
    if wildcards.dataset not in there:
        raise WorkflowError(
            f"there is no data set {wildcards.dataset!r} in the config; there are {', '.join(there)}"
        )
    return there[wildcards.dataset]


def prior(wildcards):
    """The prior in the path: family, model, levels, and, if it is trained, training, finetune, chain."""
    there = at(wildcards)["priors"]
    if wildcards.family not in there:
        raise WorkflowError(
            f"there is no prior {wildcards.family!r} in the config; there are {', '.join(there)}"
        )
    return settings_of_config.prior_settings(at(wildcards), wildcards.family)


def sigmas(wildcards):
    """The noise levels at which some prior of the data set is looked at."""
    of_models = {
        sigma
        for family in dataset(wildcards)["priors"]
        for sigma in settings_of_config.levels(at(wildcards), family)
    }
    looked_at = dataset(wildcards).get("sigmas", at(wildcards)["sigmas"]) if "all" in of_models else []
    return ["0", *(s for s in at(wildcards)["sigmas"] if s in of_models or s in looked_at)]


def levels(wildcards, family=None):
    """The noise levels of the models of the prior in the path, or of the one named."""
    return settings_of_config.levels(at(wildcards), family or wildcards.family)


def seeds(wildcards):
    return range(at(wildcards)["seeds"])


def data_of(wildcards):
    """What a script needs to open the data set."""
    return {"kind": dataset(wildcards)["kind"], "settings": dataset(wildcards)["settings"]}


def as_json(**settings):
    return json.dumps(settings, sort_keys=True)


def script(name):
    """The program of a rule, which has the same name."""
    return str(SCRIPTS / f"{name}.py")


def library(*files):
    """Library files that change a rule's result: inputs, so that a change of them, and only that, reruns it."""
    return [str(SCRIPTS / "audiopriors" / file) for file in files]


def configurations():
    """Of each scale, the file that keeps its whole configuration, and the configuration as text."""
    written = {}
    for scale, merged in SCALES.items():
        text = (
            json.dumps({key: merged[key] for key in merged if key != "file"}, indent=1, sort_keys=True) + "\n"
        )
        written[scale] = (
            f"results/configs/{scale}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json",
            text,
        )
    return written


# What every job's record of its tables refers to, see audiopriors/provenance.py.
os.environ |= {
    "AUDIOPRIORS_CONFIGURATIONS": json.dumps(
        {
            scale: [
                path,
                hashlib.sha256(text.encode()).hexdigest(),
                SCALES[scale]["seed"],
                SCALES[scale]["seeds"],
            ]
            for scale, (path, text) in configurations().items()
        }
    )
}


# What a kind of data needs beside its own file.
DATA_CODE = {"music": ["audio/recordings.py", "audio/roots.py", "audio/band.py"]}


# What a prior's family needs beside its own file and the layers.
PRIOR_CODE = {"score": ["diffusion.py"], "score_music": ["diffusion.py", "audio/spectra.py"]}


def data_code(wildcards):
    kind = dataset(wildcards)["kind"]
    return library(f"data/{kind}.py", "data/base.py", *DATA_CODE.get(kind, []), "seeds.py", "runtime.py")


def prior_code(wildcards):
    family = prior(wildcards)["family"]
    return library(f"priors/{family}.py", "priors/base.py", "layers.py", *PRIOR_CODE.get(family, []), "runtime.py")


def minutes(key):
    """Run time asked for of a cluster: the config's, times the attempt, up to the longest. Without one a year."""

    def asked(wildcards, attempt):
        if not workflow.non_local_exec_or_dryrun and workflow.is_main_process:
            return 525600
        there = at(wildcards)["resources"]
        return min(there[key] * attempt, there["longest_minutes"])

    return asked


def memory(wildcards, attempt):
    return at(wildcards)["resources"]["mem_mb"] * attempt


def gpu(wildcards):
    return at(wildcards)["resources"]["gpu"]


def threads_of(wildcards):
    return at(wildcards)["threads"]
