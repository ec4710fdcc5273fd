"""What all programs of the pipeline share: command line, threads, device, log lines and errors."""

from __future__ import annotations

import argparse
import ctypes
import errno
import json
import logging
import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .errors import UserError

log = logging.getLogger(__name__)

EXIT_ERROR = 1
EXIT_TRY_AGAIN = 75  # sysexits.h, EX_TEMPFAIL: out of time, state saved; the same command continues

MEMORY = (
    "the memory, of the GPU or of this machine, is full; lower evaluation.batch_samples, separation.batch_samples or a "
    "training's batch in the config and run again, finished results are kept"
)


class OutOfTime(Exception):
    """The deadline is near, and the state is saved."""


@dataclass
class Run:
    """One call of a program, as its records describe it."""

    command: list[str] = field(default_factory=list)
    "The script and its arguments."
    inputs: list[str] = field(default_factory=list)
    "The input files that the command line names."
    computes: bool = False
    "Whether the program has taken a device to compute on."
    device: str = "cpu"
    "The name of that device."
    record: dict | None = None
    "The record that provenance.py has made of this call."


current = Run()  # the program that `run` is running, or a notebook


class Program:
    """A command line whose inputs and outputs are declared.

    Every program has `--settings`: a part of the config, which the rule passes as JSON.
    """

    def __init__(self, description: str):
        self._parser = argparse.ArgumentParser(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
        )
        self._inputs: list[str] = []
        self.option("--settings", type=json.loads, required=True, help="what the rule takes of the config, as JSON")

    def option(self, name: str, **keywords) -> argparse.Action:
        """Add an argument that names no file. The keywords are those of argparse's add_argument."""
        return self._parser.add_argument(name, **keywords)

    def input(self, name: str, help: str, *, many: bool = False, required: bool = True, **keywords) -> None:
        """Add an input file, or several. The records of outputs list each with its SHA-256."""
        several: dict[str, Any] = {} if required else {"nargs": "?"}
        if many:
            several = {"nargs": "+" if required else "*", "default": []}
        self._inputs.append(self.option(name, help=help, required=required, **several, **keywords).dest)

    def output(self, name: str, help: str, *, many: bool = False, **keywords) -> None:
        """Add a file or folder that the program writes."""
        several = {"nargs": "+"} if many else {}
        self.option(name, help=f"output: {help}", required=True, **several, **keywords)

    def arguments(self) -> argparse.Namespace:
        """Parse the arguments of the program that `run` is running."""
        parsed = self._parser.parse_args(current.command[1:])
        for name in self._inputs:
            value = getattr(parsed, name)
            files = value if isinstance(value, list) else [value]
            current.inputs += [str(file) for file in files if file is not None and os.path.isfile(file)]
        return parsed


def prepare(threads: int):
    """Set torch's number of threads, on which its sums depend, and return the device: the GPU if there is one.

    On a GPU, too, deterministic algorithms are used. The log names the operations that have none.
    """
    import torch

    _keep_freed_memory()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # a quarter faster on a CPU, as gates of saw and square priors saturate
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS needs this to be reproducible
        torch.set_deterministic_debug_mode("warn")
        # Unwritten memory is never read here.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a module's property
    current.computes = True
    current.device = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    log.info("device %s, %d threads", current.device, threads)  # the table of costs reads this line
    return device


def _keep_freed_memory() -> None:
    """Let glibc keep freed memory.

    If it is given back, each step's tensors are paged in anew, which takes some percent of all time.

    This holds for tensors up to 32 MB, the most that glibc allows. Other C libraries are left as they are.
    """
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        for parameter, size in ((mmap_threshold, 2**25), (trim_threshold, 2**30), (top_pad, 2**26)):
            mallopt(parameter, size)


def run(main: Callable[[], None], command: list[str] | None = None) -> None:
    """Run a script's main function. An error that the user can mend is printed as one sentence, with a non-zero exit.

    command: script and arguments; by default those of this process. It can be called any number of times.
    """
    global current
    current = Run(list(sys.argv if command is None else command))
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    with errors_as_sentences():
        main()
        # The table of costs reads this line. In kB on Linux, in bytes on macOS.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
        log.info("at most %.0f MB of memory", peak)


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """A context that prints an error that the user can mend as one sentence, and exits."""
    try:
        yield
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
    """The message for the user about an error; None if the error is a bug of this program."""
    if _out_of_memory(error):
        return MEMORY
    if isinstance(error, OSError):
        return _about(error)
    return str(error) if isinstance(error, UserError) else None


def _out_of_memory(error: Exception) -> bool:
    """Whether the error is one of Python's, NumPy's or torch's errors for full memory, on a GPU or on the CPU."""
    names = [of.__name__ for of in type(error).__mro__]
    return bool({"MemoryError", "OutOfMemoryError"} & set(names)) or "can't allocate memory" in str(error)


def _about(error: OSError) -> str:
    where = error.filename or "a file"
    if error.errno == errno.ENOSPC:
        return f"{where}: the disk is full; free some space and run again, finished results are kept"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"{where}: cannot be written ({error.strerror}); make the results folder writable and run again"
    return f"{where}: {error.strerror or error}"
