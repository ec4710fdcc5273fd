"""What is planned and what reruns: after a change of code, configuration or recordings, exactly what depends on it."""

import base64
import json
import os
from pathlib import Path

from audiopriors.pipeline import code, paths
from conftest import PRIOR, Workplace


def test_moved_and_touched_nothing_reruns(copied):
    for path in (copied.folder / "workflow").rglob("*.py"):
        os.utime(path)
    for name in ("config.yaml", "scales.yaml", "claims.yaml", "Snakefile", "README.md"):
        os.utime(copied.folder / name)
    assert copied.planned("smoke") == {}


def test_code_of_a_figure_redraws_that_figure_only(copied):
    copied.edit("workflow/scripts/figure_peakedness.py", "linthresh=10", "linthresh=20")
    assert copied.planned("smoke") == {"figure": 1, "index": 1, "report": 1, "checksums": 1, "smoke": 1}


def test_code_of_the_sampler_separates_again_and_trains_nothing(copied):
    copied.edit(
        "workflow/scripts/audiopriors/separation/samplers.py", "kept, fresh = share**0.5", "kept, fresh = share**0.50"
    )
    planned = copied.planned("smoke")
    assert planned["separate"] == 20 and planned["separate_reference"] == 2
    assert not {"train_prior", "evaluate_prior", "make_data"} & set(planned)


def test_a_constant_of_denoisers_measures_error_curves_again(copied):
    copied.edit("workflow/scripts/audiopriors/priors/base.py", "FAR = 100.0", "FAR = 99.0")
    assert copied.planned("smoke")["error_curve"] == 4


def test_rate_of_finetuning_retrains_only_what_is_finetuned(copied):
    copied.edit("scales.yaml", "finetune: {steps: 5}", "finetune: {steps: 5, learning_rate: 1.0e-3}")
    planned = copied.planned("smoke")
    # Of the flow, of the published one, and of those that are trained together from the flow.
    assert planned["train_prior"] == planned["evaluate_prior"] == 2 + 2 + 2 and planned["train_jointly"] == 1
    assert "make_data" not in planned


def test_rate_of_training_retrains_all_that_depends_on_it(copied):
    copied.edit(
        "scales.yaml", "steps: 10, batch: 4, learning_rate: 2.0e-3", "steps: 10, batch: 4, learning_rate: 1.0e-3"
    )
    planned = copied.planned("smoke")
    assert (
        planned["train_prior"] == 16 + 2 + 4 + 8
        and planned["train_jointly"] == 2
        and planned["train_separator"] == 2
        and "make_data" not in planned
    )


def test_a_method_of_separation_reruns_itself(copied):
    copied.edit(
        "scales.yaml", "langevin_one_sigma: {settings: {steps: 4}}", "langevin_one_sigma: {settings: {steps: 5}}"
    )
    planned = copied.planned("smoke")
    assert planned["separate"] == 3 and "train_prior" not in planned


def test_one_figure_from_what_is_there(copied):
    target = "results/smoke/figures/inputs_toy.pdf"
    (copied.folder / target).unlink()
    assert copied.planned(target) == {"figure": 1}
    done = copied.snakemake(target)
    assert done.returncode == 0 and (copied.folder / target).exists()


def test_serial_chain_starts_at_the_next_smaller_sigma(repository, tmp_path):
    place = repository.copy(tmp_path / "serial")
    place.edit("config.yaml", "chain: noise_free ", "chain: serial ")
    done = place.snakemake("--dry-run", PRIOR.replace("smoke", "full").format("saw", "0.077"))
    assert done.returncode == 0
    assert {name: done.stdout.count(name) > 0 for name in ("saw/0/", "saw/0.01/", "saw/0.027/", "saw/0.129/")} == {
        "saw/0/": True, "saw/0.01/": True, "saw/0.027/": True, "saw/0.129/": False,
    }  # fmt: skip


def test_seeds_train_replicates(repository, tmp_path):
    place = repository.copy(tmp_path / "seeds")
    place.edit("scales.yaml", "    seeds: 1\n    sigmas:", "    seeds: 3\n    sigmas:")
    assert place.planned("smoke_toy")["train_prior"] == 3 * (26 + 4) + 2  # the exact prior needs none


def test_every_scale_and_data_set_has_a_plan(repository):
    # 6 + 6 + 6 + 1 + 1 models, 2 + 2 + 2 of two ends, 3 trained together
    assert repository.planned("full_toy")["train_prior"] == 4 * ((26 + 3) * 3 + 1)
    assert repository.planned("quick_toy")["evaluate_prior"] == 4 * (7 + 2)
    longer = repository.planned("quick_toy_4096")
    assert longer["train_prior"] == longer["error_curve"] == 4 and longer["separate"] == 1
    published = repository.planned("smoke_toy_published")
    assert published["train_prior"] == 2 * 8
    # Claims, denoising, detection's summary, smoothed bound, separation, tables 1 and 2: no truth gap without an exact
    # prior.
    assert published["table"] == 7
    alone, quick = repository.planned(), repository.planned("quick")
    assert alone.pop("all") == quick.pop("quick") == 1 and alone == quick


def test_slurm_profile_plans_from_a_clone(repository):
    done = repository.snakemake("--profile", "slurm", "--dry-run", "--verbose", "full_toy")
    assert done.returncode == 0, done.stdout[-3000:]
    block = done.stdout.split("rule train_prior:")[1].split("rule ")[0]
    assert "gpu=1" in block and "mem_mb=16000" in block and "runtime=1440" in block
    block = done.stdout.split("rule evaluate_prior:")[1].split("rule ")[0]
    assert "gpu=1" in block and "runtime=240" in block


def recorded(place: Workplace) -> dict[str, tuple[str, list[str]]]:
    """Of every output that Snakemake knows: its rule, and the inputs of the job that wrote it."""
    records = {}
    for path in (place.folder / ".snakemake/metadata").rglob("*"):
        if path.is_file():
            record = json.loads(path.read_text())
            name = "".join(path.relative_to(place.folder / ".snakemake/metadata").parts).replace("@", "")
            records[base64.b64decode(name).decode()] = record["rule"], record["input"]
    return records


def test_what_a_program_imports_is_an_input_of_its_rule(smoke, band, fidelity):
    """Over all rules, as it was when the programs ran: a change of code then reruns what it may change."""
    rules = set()
    for place in (smoke, band, fidelity):
        records = recorded(place)
        for path in (place.folder / "imported").glob("*.json"):
            run = json.loads(path.read_text())
            program, *arguments = run["arguments"]
            rows = [records[argument] for argument in arguments if argument in records]
            for rule, inputs in (row for row in rows if program in row[1]):  # its outputs, not its inputs
                rules.add(rule)
                files = [Path(file).relative_to(place.folder) for file in run["library"]]
                wanted = {str(file) for file in files if file.stem not in code.CHANGES_NO_NUMBER}
                assert wanted <= set(inputs), f"{rule}: {program} imports {wanted - set(inputs)}"
    # Not here: what is measured anew each time, what is made to be shipped, and one list of checksums and report for
    # the other.
    assert rules == set(paths._OUTPUTS) - {"forecast", "ship"}
