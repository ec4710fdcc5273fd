"""The slurm profile on a real Slurm: one machine, two fake GPUs (Debian: apt install slurm-wlm munge; as root).

Each test ends in the same bytes as the quiet run without Slurm, whatever happened in between. A job of a second takes
ten through Slurm, so one run has several faults, each waited for before the next.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audiopriors.audio import roots
from conftest import Reduced

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "scancel")
SBIN = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"}
SYSTEM = Path("/etc/slurm")  # where the jobs' srun looks: Snakemake's plugin takes SLURM_CONF from their environment
missing = [name for name in NEEDED if not shutil.which(name, path=SBIN["PATH"])]
pytestmark = [
    pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not found: apt install slurm-wlm munge"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a Slurm"),
    pytest.mark.skipif((SYSTEM / "slurm.conf").is_file(), reason="this machine has a Slurm of its own"),
]

# As a user starts it; only the polling is faster.
PROFILE = ["--profile", "slurm", "--latency-wait", "20", "--slurm-init-seconds-before-status-checks", "1",
           "--default-resources", "slurm_partition=gpu", "slurm_account=tests"]  # fmt: skip

# After ../shared/slurm: no cgroups, no accounting, everything below one folder, scheduling at once.
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
ReturnToService=2
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
MinJobAge=300
KillWait=5
OverTimeLimit=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
AccountingStorageType=accounting_storage/none
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 CoresPerSocket=2 RealMemory=6000 Gres=gpu:2 State=UNKNOWN
PartitionName=gpu Nodes={host} Default=YES MaxTime=60 State=UP PriorityTier=1 PreemptMode=REQUEUE
PartitionName=urgent Nodes={host} MaxTime=60 State=UP PriorityTier=10 PreemptMode=OFF
"""


def wait(what: str, seconds: float, condition):
    """What the condition gives, once it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.2)
    raise TimeoutError(f"{what}: not in {seconds} s")


class Slurm:
    """A whole cluster in one folder."""

    def __init__(self, folder: Path):
        self.folder, self.host = folder, socket.gethostname().split(".")[0]
        ports = []
        for _ in range(2):
            with socket.socket() as one:
                one.bind(("127.0.0.1", 0))
                ports.append(one.getsockname()[1])
        (folder / "state").mkdir()
        (folder / "spool").mkdir()
        self.configuration = folder / "slurm.conf"
        self.configuration.write_text(CONFIGURATION.format(host=self.host, folder=folder, ports=ports))
        (folder / "gres.conf").write_text("AutoDetect=off\nName=gpu File=/dev/null\nName=gpu File=/dev/zero\n")
        for name in ("slurm.conf", "gres.conf"):
            (SYSTEM / name).unlink(missing_ok=True)  # of a test that was killed
            (SYSTEM / name).symlink_to(folder / name)
        (folder / "munge.key").write_bytes(os.urandom(128))
        (folder / "munge.key").chmod(0o600)
        # While the controller is away, Snakemake's plugin asks sacct. Where that fails, as it does without accounting,
        # the running jobs are lost for good. This one answers as a database that has not heard of them yet.
        (folder / "bin").mkdir()
        (folder / "bin" / "sacct").write_text("#!/bin/sh\nexit 0\n")
        (folder / "bin" / "sacct").chmod(0o755)
        path = f"{folder / 'bin'}:{SBIN['PATH']}"
        self.environment = os.environ | {"PATH": path, "SLURM_CONF": str(self.configuration)}
        self.daemons: dict[str, subprocess.Popen] = {}

    def start(self) -> None:
        folder = self.folder
        self._daemon(
            "munged", "--foreground", "--force", f"--key-file={folder}/munge.key", f"--socket={folder}/munge.socket",
            f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log", f"--seed-file={folder}/munge.seed",
        )  # fmt: skip
        wait("munged", 20, (folder / "munge.socket").exists)
        self.start_controller()
        self._daemon("slurmd", "-D", "-f", str(self.configuration), "-N", self.host)
        wait("an idle node", 60, lambda: "idle" in self.call("sinfo", "--noheader", "--format=%t", check=False))

    def start_controller(self) -> None:
        self._daemon("slurmctld", "-D", "-f", str(self.configuration))
        wait("slurmctld", 60, lambda: "UP" in self.call("scontrol", "ping", check=False))

    def _daemon(self, *command: str) -> None:
        with open(self.folder / f"{command[0]}.out", "ab") as output:
            self.daemons[command[0]] = subprocess.Popen(
                command, env=self.environment, stdout=output, stderr=output, start_new_session=True
            )

    def stop(self) -> None:
        self.call("scancel", "--user=root", check=False)
        for daemon in reversed(self.daemons.values()):
            daemon.kill()
            daemon.wait()
        for name in ("slurm.conf", "gres.conf"):
            (SYSTEM / name).unlink()

    def call(self, *command: str, check: bool = True) -> str:
        done = subprocess.run(command, env=self.environment, text=True, capture_output=True, check=False, timeout=60)
        assert not check or done.returncode == 0, f"{command}: {done.stdout} {done.stderr}"
        return done.stdout

    def job(self, number: str) -> str:
        """What it knows of a job."""
        return self.call("scontrol", "show", "job", number, check=False)

    def requeued(self, number: str) -> bool:
        return "Restarts=1" in self.job(number)


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    cluster = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def place(repository, tmp_path):
    return Reduced.of(repository, tmp_path / "work", gpu=1)


@pytest.fixture
def start(slurm, place):
    """Snakemake with the profile."""
    started = []

    def begin(*arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "snakemake", *PROFILE, "--", Reduced.TARGET, *arguments]
        log = open(place.folder / "snakemake.log", "ab")  # noqa: SIM115
        process = subprocess.Popen(command, cwd=place.folder, env=slurm.environment, stdout=log,
                                   stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    slurm.call("scancel", "--user=root", check=False)
    for pid in processes("", place):  # of a node that was told to be dead
        os.kill(pid, signal.SIGKILL)
    wait("an empty queue", 60, lambda: not slurm.call("squeue", "--noheader", check=False).strip())


@dataclass(frozen=True)
class Training:
    """A training that runs: its process, the number of Slurm's job, and the file that it writes."""

    process: int
    job: str
    output: Path

    def log(self) -> str:
        """What its last attempt has said."""
        log = str(self.output).replace("/priors/", "/logs/train_prior/").replace(".safetensors", ".log")
        return Path(log).read_text()


def training(place: Reduced) -> Training:
    """Wait for a training that runs and has saved a state."""
    return wait("a training with a saved state", 300, lambda: next(iter(trainings(place)), None))


def trainings(place: Reduced) -> list[Training]:
    running = []
    for number in processes("train_prior.py\0--settings", place):
        with contextlib.suppress(OSError):  # it is no more
            words = (Path("/proc") / str(number) / "cmdline").read_text().split("\0")
            variables = (Path("/proc") / str(number) / "environ").read_text().split("\0")
            (job,) = [one.removeprefix("SLURM_JOB_ID=") for one in variables if one.startswith("SLURM_JOB_ID=")]
            output = place.folder / words[words.index("--prior") + 1]
            if Path(f"{output}.resume").exists():
                running.append(Training(number, job, output))
    return running


def said(place: Reduced) -> str:
    """By Snakemake, until now."""
    return (place.folder / "snakemake.log").read_text()


def retries(place: Reduced) -> int:
    return said(place).count("Trying to restart job")


def finish(process: subprocess.Popen, place: Reduced, quiet: Reduced) -> None:
    """Wait for the end, and compare."""
    code = process.wait(timeout=900)
    assert code == 0, said(place)[-4000:]
    assert place.checksums() == quiet.checksums()
    # A state whose saving was killed may leave its temporary file: NAME.resume.PID.tmp.
    assert [path for path in place.leftovers() if not re.search(r"\.resume\.\d+\.tmp$", path)] == []


def processes(what: str, place: Reduced) -> list[int]:
    """Processes in this place whose command has `what` in it."""
    numbers = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it is no more
            command = (entry / "cmdline").read_bytes()
            if what.encode() in command and os.readlink(entry / "cwd") == str(place.folder):
                numbers.append(int(entry.name))
    return numbers


def held(place: Reduced):
    """A training that has saved a state, and is stopped, so that it cannot end before what is to happen to it."""
    one = training(place)
    os.kill(one.process, signal.SIGSTOP)
    return one


def hung(place: Reduced, slurm: Slurm) -> list[Training]:
    """All trainings that have saved a state, stopped; without those that had ended when they were."""
    running = trainings(place)
    for one in running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one.process, signal.SIGSTOP)
    return [one for one in running if "JobState=RUNNING" in slurm.job(one.job)]


def test_a_cancelled_job_a_preempted_one_and_one_out_of_time(start, place, quiet, slurm):
    process = start()
    # What the profile asks for.
    first = held(place)
    job = slurm.job(first.job)
    assert "Account=tests" in job and "Partition=gpu" in job and "Requeue=1" in job
    assert "gpu:1" in job and "mem=1500M" in job and "TimeLimit=00:10:00" in job

    # Cancelled: the second attempt asks for twice the time and memory, but for no longer than the config's limit.
    assert retries(place) == 0
    slurm.call("scancel", first.job)
    wait("a second attempt", 120, lambda: "15:00 3000M" in slurm.call("squeue", "--noheader", "--format=%l %m"))
    assert retries(place) == 1

    # Preempted: requeued by Slurm itself.
    job = held(place).job
    slurm.call("sbatch", "--partition=urgent", "--exclusive", "--output=/dev/null", "--wrap=sleep 3")
    wait("requeueing", 60, lambda: slurm.requeued(job))

    # Out of time: trainings hang (SIGSTOP) until Slurm's limit, a minute; the next attempts go on from the saved state.
    hanging, before = wait("trainings that hang", 300, lambda: hung(place, slurm)), retries(place)
    for one in hanging:
        slurm.call("scontrol", "update", f"JobId={one.job}", "TimeLimit=1")
    wait("further attempts", 240, lambda: retries(place) >= before + len(hanging))
    finish(process, place, quiet)
    assert all("continues at step" in one.log() for one in hanging)
    assert "SLURM jobid" in said(place)


def test_a_killed_snakemake(start, place, quiet, slurm):
    """kill -9 of the workflow's own process, while its jobs run on; then the README's two commands."""
    process = start()
    training(place)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert place.snakemake("--unlock").returncode == 0
    finish(start(), place, quiet)


def test_a_killed_controller_and_a_drained_node_that_dies(start, place, quiet, slurm):
    process = start()
    # kill -9 of slurmctld: jobs run on, and the workflow waits for a new one. One training is stopped meanwhile, as
    # all might have ended before the node loses any.
    job = held(place).job
    slurm.daemons["slurmctld"].kill()
    slurm.daemons["slurmctld"].wait()
    time.sleep(10)
    assert process.poll() is None
    slurm.start_controller()

    # A node that takes no new jobs, then loses those it has, and comes back.
    node = f"NodeName={slurm.host}"
    slurm.call("scontrol", "update", node, "State=DRAIN", "Reason=test")
    time.sleep(2)
    slurm.call("scontrol", "update", node, "State=DOWN", "Reason=test")
    wait("requeueing", 60, lambda: slurm.requeued(job))
    slurm.call("scontrol", "update", node, "State=RESUME")
    finish(process, place, quiet)


def test_a_recording_whose_name_a_shell_would_read(slurm, band, tmp_path):
    song = tmp_path / "it's $(touch owned) `touch owned` #1: {x}.wav"
    soundfile.write(song, 0.1 * np.random.default_rng(0).normal(size=30000), 44100)
    target = f"results/smoke/files/demo_band/{roots.short_name(song)}/scores.csv"
    command = [sys.executable, "-m", "snakemake", *PROFILE, "--", target]
    environment = slurm.environment | {"AUDIOPRIORS_FILE": str(song)}
    done = subprocess.run(command, cwd=band.folder, env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0 and "SLURM jobid" in done.stderr, done.stderr[-4000:]
    assert len((band.folder / target).read_text().splitlines()) > 10
    assert not list(band.folder.rglob("owned"))
