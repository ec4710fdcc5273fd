"""The slurm profile on a real Slurm: one machine, two fake GPUs (Debian: apt install slurm-wlm munge; as root).

Each test ends in the same bytes as the quiet run without Slurm, whatever happened in between.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
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
        self.environment = os.environ | SBIN | {"SLURM_CONF": str(self.configuration)}
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

    def running(self) -> list[str]:
        """The numbers of Snakemake's jobs that run now."""
        return self.call(
            "squeue", "--noheader", "--states=RUNNING", "--partition=gpu", "--format=%i", check=False
        ).split()


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
    """Snakemake with the profile, as a user starts it; only the polling is faster."""
    started = []

    def begin(*arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "snakemake", "--profile", "slurm", "--latency-wait", "20",
                   "--slurm-init-seconds-before-status-checks", "4", "--default-resources", "slurm_partition=gpu",
                   "slurm_account=tests", "--", Reduced.TARGET, *arguments]  # fmt: skip
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


def finish(process: subprocess.Popen, place: Reduced, quiet: Reduced) -> str:
    """Wait for the end, compare, and give what Snakemake said."""
    code = process.wait(timeout=400)
    output = (place.folder / "snakemake.log").read_text()
    assert code == 0, output[-4000:]
    assert place.checksums() == quiet.checksums() and place.leftovers() == []
    return output


def training(place: Reduced, slurm: Slurm) -> str:
    """Wait until a training has saved a state; the number of its job."""
    wait("a saved state", 120, lambda: list((place.folder / "results").rglob("*.resume")))
    return wait("a running job", 20, slurm.running)[0]


def processes(what: str, place: Reduced) -> list[int]:
    """Processes in this place whose command has `what` in it."""
    numbers = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it is no more
            command = (entry / "cmdline").read_bytes()
            if what.encode() in command and os.readlink(entry / "cwd") == str(place.folder):
                numbers.append(int(entry.name))
    return numbers


def test_the_reduced_workflow(start, place, quiet, slurm):
    process = start()
    job = slurm.call("scontrol", "show", "job", training(place, slurm))
    assert "Account=tests" in job and "Partition=gpu" in job and "Requeue=1" in job
    assert "gpu:1" in job and "mem=1500M" in job and "TimeLimit=00:10:00" in job
    output = finish(process, place, quiet)
    assert "SLURM jobid" in output


def test_a_cancelled_job(start, place, quiet, slurm):
    process = start()
    slurm.call("scancel", training(place, slurm))
    # The second attempt asks for twice the time and memory, but for no longer than the config's limit.
    wait("a second attempt", 120, lambda: "15:00 3000M" in slurm.call("squeue", "--noheader", "--format=%l %m"))
    assert "Trying to restart job" in finish(process, place, quiet)


def test_a_job_out_of_time(start, place, quiet, slurm):
    """A training that hangs (SIGSTOP) until Slurm's limit, a minute; the next attempt goes on from the saved state."""
    process = start()
    training(place, slurm)
    hanging = processes("train_prior.py\0--settings", place)
    for pid in hanging:
        os.kill(pid, signal.SIGSTOP)
    for job in slurm.running():
        slurm.call("scontrol", "update", f"JobId={job}", "TimeLimit=1")
    assert "Trying to restart job" in finish(process, place, quiet)
    assert hanging
    logs = [path.read_text() for path in (place.folder / "results/reduced/logs/train_prior").rglob("*.log")]
    assert any("continues at step" in log for log in logs)


def test_a_preempted_job(start, place, quiet, slurm):
    process = start()
    job = training(place, slurm)
    slurm.call("sbatch", "--partition=urgent", "--exclusive", "--output=/dev/null", "--wrap=sleep 3")
    wait("requeueing", 60, lambda: "Restarts=1" in slurm.call("scontrol", "show", "job", job, check=False))
    finish(process, place, quiet)


def test_a_killed_snakemake(start, place, quiet, slurm):
    """kill -9 of the workflow's own process, while its jobs run on; then the README's two commands."""
    process = start()
    training(place, slurm)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert place.snakemake("--unlock").returncode == 0
    finish(start(), place, quiet)


def test_a_killed_controller(start, place, quiet, slurm):
    """kill -9 of slurmctld; jobs run on, and the workflow waits for a new one."""
    process = start()
    training(place, slurm)
    slurm.daemons["slurmctld"].kill()
    slurm.daemons["slurmctld"].wait()
    time.sleep(10)
    assert process.poll() is None
    slurm.start_controller()
    finish(process, place, quiet)


def test_a_drained_node_that_dies(start, place, quiet, slurm):
    """A node that takes no new jobs, then loses those it has, and comes back."""
    process = start()
    job = training(place, slurm)
    node = f"NodeName={slurm.host}"
    slurm.call("scontrol", "update", node, "State=DRAIN", "Reason=test")
    time.sleep(2)
    slurm.call("scontrol", "update", node, "State=DOWN", "Reason=test")
    wait("requeueing", 60, lambda: "Restarts=1" in slurm.call("scontrol", "show", "job", job, check=False))
    slurm.call("scontrol", "update", node, "State=RESUME")
    finish(process, place, quiet)
