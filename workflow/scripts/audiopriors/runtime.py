"""What every program of the pipeline does first and last: its command line, threads, device, log lines, errors."""

from __future__ import annotations

import argparse
import ctypes
import errno
import json
import logging
import os
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from .errors import UserError

log = logging.getLogger(__name__)

EXIT_ERROR = 1
EXIT_TRY_AGAIN = 75  # sysexits.h, EX_TEMPFAIL: out of time, state saved; the same command continues

MEMORY = (
    "the memory, of the GPU or of this machine, is full; lower evaluation.batch_samples, separation.batch_samples or a "
    "training's batch in the config and run again, finished results are kept"
)


class OutOfTime(Exception):
    """The deadline is near and the state is saved."""


@dataclass
class Run:
    """One call of a program: what its records say of it."""

    command: list[str] = field(default_factory=list)
    "Script and arguments."
    inputs: list[str] = field(default_factory=list)
    "Files that the command line names to be read."
    computes: bool = False
    "Whether it has taken a device to compute on."
    device: str = "cpu"
    "The name of that device."
    record: dict | None = None
    "What provenance.py knows of it."


current = Run()  # of a notebook, or, since `run` began, of the program


class Program:
    """A command line whose inputs and outputs are declared.

    Every program has `--settings`: the JSON that a rule builds of the config.
    """

    def __init__(self, description: str):
        self._parser = argparse.ArgumentParser(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
        )
        self._inputs: list[str] = []
        self.option("--settings", type=json.loads, required=True, help="what the rule takes of the config, as JSON")

    def option(self, name: str, **keywords) -> argparse.Action:
        """An argument that names no file; keywords as of argparse's add_argument."""
        return self._parser.add_argument(name, **keywords)

    def input(self, name: str, help: str, *, many: bool = False, required: bool = True, **keywords) -> None:
        """A file to be read, or many: the records of outputs list it with its SHA-256."""
        several = {"nargs": "+" if required else "*", "default": []} if many else {} if required else {"nargs": "?"}
        self._inputs.append(self.option(name, help=help, required=required, **several, **keywords).dest)

    def output(self, name: str, help: str, *, many: bool = False, **keywords) -> None:
        """A file or folder to be written."""
        several = {"nargs": "+"} if many else {}
        self.option(name, help=f"output: {help}", required=True, **several, **keywords)

    def arguments(self) -> argparse.Namespace:
        """The arguments of the call of `run` that is under way."""
        parsed = self._parser.parse_args(current.command[1:])
        for name in self._inputs:
            value = getattr(parsed, name)
            files = value if isinstance(value, list) else [value]
            current.inputs += [str(file) for file in files if file is not None and os.path.isfile(file)]
        return parsed


def prepare(threads: int):
    """Set torch's threads (its sums depend on their number) and give the device: the GPU if there is one.

    Of a GPU, too, the same bytes each time are asked for; what has no such algorithm there is named in the log.
    """
    import torch

    _keep_freed_memory()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # gates of saw and square priors saturate: a quarter faster on a CPU
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for this to be reproducible
        torch.set_deterministic_debug_mode("warn")
        torch.utils.deterministic.fill_uninitialized_memory = False  # nothing here reads what it has not written
    current.computes = True
    current.device = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    log.info("device %s, %d threads", current.device, threads)  # the table of costs reads this line
    return device


def _keep_freed_memory() -> None:
    """Let glibc keep what is freed: given back, each step's tensors fault in page by page, some percent of all time.

    Up to 32 MB a tensor, the most that it allows. Other C libraries are left as they are.
    """
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        for parameter, size in ((mmap_threshold, 2**25), (trim_threshold, 2**30), (top_pad, 2**26)):
            mallopt(parameter, size)


def run(main: Callable[[], None], command: list[str] | None = None) -> None:
    """Run a script's main; what the user can mend becomes one sentence and a non-zero exit.

    command: script and arguments, those of this process if not given. It can be called any number of times.
    """
    global current
    current = Run(list(sys.argv if command is None else command))
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        main()
        # The table of costs reads this line. In kB on Linux, in bytes on macOS.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
        log.info("at most %.0f MB of memory", peak)
    except OutOfTime as reason:
        print(f"out of time: {reason}", file=sys.stderr)
        sys.exit(EXIT_TRY_AGAIN)
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None or os.environ.get("AUDIOPRIORS_TRACEBACK"):
            raise
        print(f"error: {sentence}", file=sys.stderr)
        sys.exit(EXIT_ERROR)


def _sentence(error: Exception) -> str | None:
    """What to tell a user of an error; None if it is a fault of this program."""
    if _out_of_memory(error):
        return MEMORY
    if isinstance(error, OSError):
        return _about(error)
    return str(error) if isinstance(error, UserError) else None


def _out_of_memory(error: Exception) -> bool:
    """Python's, NumPy's and torch's ways to say it, on a GPU and on the CPU."""
    names = [of.__name__ for of in type(error).__mro__]
    return bool({"MemoryError", "OutOfMemoryError"} & set(names)) or "can't allocate memory" in str(error)


def _about(error: OSError) -> str:
    where = error.filename or "a file"
    if error.errno == errno.ENOSPC:
        return f"{where}: the disk is full; free some space and run again, finished results are kept"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"{where}: cannot be written ({error.strerror}); make the results folder writable and run again"
    return f"{where}: {error.strerror or error}"
