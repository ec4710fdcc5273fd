"""What every program of the pipeline does first and last: threads, device, log lines, errors in one sentence."""

from __future__ import annotations

import argparse
import errno
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

EXIT_ERROR = 1
EXIT_TRY_AGAIN = 75  # sysexits.h, EX_TEMPFAIL: out of time, state saved; the same command continues


device_name = "cpu"  # on which this program computes, as `prepare` found it
prepared = False  # whether this program computes at all
_inputs: list[str] = []  # files that the command line names to be read


MEMORY = (
    "the memory, of the GPU or of this machine, is full; lower evaluation.batch_samples, separation.batch_samples or a "
    "training's batch in the config and run again, finished results are kept"
)


class OutOfTime(Exception):
    """The deadline is near and the state is saved."""


def prepare(threads: int):
    """Set torch's threads (its sums depend on their number) and give the device: the GPU if there is one.

    Of a GPU, too, the same bytes each time are asked for; what has no such algorithm there is named in the log.
    """
    import torch

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # gates of saw and square priors saturate: a quarter faster on a CPU
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for this to be reproducible
        torch.set_deterministic_debug_mode("warn")
        torch.utils.deterministic.fill_uninitialized_memory = False  # nothing here reads what it has not written
    global device_name, prepared
    prepared = True
    device_name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    log.info("device %s, %d threads", device_name, threads)  # the table of costs reads this line
    return device


class _Parser(argparse.ArgumentParser):
    """Knows which arguments are files to be read: those there are whose help does not begin with `output`."""

    def parse_args(self, args=None, namespace=None):
        parsed = super().parse_args(args, namespace)
        for action in self._actions:
            given = getattr(parsed, action.dest, None)
            if not (action.help or "").startswith("output"):
                given = given if isinstance(given, list) else [given]
                _inputs.extend(str(name) for name in given if isinstance(name, str | Path) and os.path.isfile(name))
        return parsed


def input_files() -> list[str]:
    """The files that the command line names to be read."""
    return list(_inputs)


def parser(description: str) -> argparse.ArgumentParser:
    """The parser of a script; `--settings` is the JSON that a rule builds of the config."""
    made = _Parser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    made.add_argument("--settings", type=json.loads, required=True, help="what the rule takes of the config, as JSON")
    return made


def run(main: Callable[[], None]) -> None:
    """Run a script's main; what the user can mend becomes one sentence and a non-zero exit."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        main()
    except OutOfTime as reason:
        print(f"out of time: {reason}", file=sys.stderr)
        sys.exit(EXIT_TRY_AGAIN)
    except OSError as error:
        print(f"error: {_about(error)}", file=sys.stderr)
        sys.exit(EXIT_ERROR)
    except Exception as error:
        said = MEMORY if _out_of_memory(error) else str(error) if _is_for_users(error) else None
        if said is None or os.environ.get("AUDIOPRIORS_TRACEBACK"):
            raise
        print(f"error: {said}", file=sys.stderr)
        sys.exit(EXIT_ERROR)


def _out_of_memory(error: Exception) -> bool:
    """Python's, NumPy's and torch's ways to say it, on a GPU and on the CPU."""
    names = [of.__name__ for of in type(error).__mro__]
    return bool({"MemoryError", "OutOfMemoryError"} & set(names)) or "can't allocate memory" in str(error)


def _is_for_users(error: Exception) -> bool:
    """Our own errors, and the ValueErrors and LookupErrors that this package raises with a sentence."""
    if type(error).__module__.startswith("audiopriors"):
        return True
    traceback = error.__traceback__
    while traceback and traceback.tb_next:
        traceback = traceback.tb_next
    raised_in = traceback.tb_frame.f_globals.get("__name__", "") if traceback else ""
    return raised_in.startswith("audiopriors") and type(error) in (ValueError, LookupError)


def _about(error: OSError) -> str:
    where = error.filename or "a file"
    if error.errno == errno.ENOSPC:
        return f"{where}: the disk is full; free some space and run again, finished results are kept"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"{where}: cannot be written ({error.strerror}); make the results folder writable and run again"
    return f"{where}: {error.strerror or error}"
