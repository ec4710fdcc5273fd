"""A `python` whose programs fork from one process that has already imported torch, so that they start at once.

    python warm_python.py --run COMMAND ...    runs the command with such a `python` first on PATH, as `make` does
    python warm_python.py FOLDER               makes FOLDER/python and serves it until standard input ends

`FOLDER/python PROGRAM.py ...` and `FOLDER/python -m MODULE ...` run in a fork of the server, with the caller's
arguments, environment, folder, umask and files. The caller ends as they end. Signals to the caller are passed on to
them; if it is killed or the server ends, they are killed.

The real python is run instead in four cases: no server listens, there are other arguments, a standard file is closed,
or the environments of caller and server differ in a variable that is read when a process starts. One such variable is
the number of threads: the server's is 1, as Snakemake sets it for a job of one thread.

The fork is not a new process in every respect: limits, priority and process group are the server's, and so is the seed
of hashes.
"""

import atexit
import contextlib
import gc
import importlib.util
import json
import os
import runpy
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path

# Variables that are read only then, or when something is imported, begin so.
AT_START = ("PYTHON", "LD_", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "ATEN_", "TORCH_", "LC_", "LANG", "TZ")
# As Snakemake sets them for a job of one thread: what a server of another number served would sum in another order.
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
IMPORTED = "WARM_PYTHON_IMPORTED"  # a folder for which modules of ours each program has imported, if it is set
PASSED_ON = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
REFUSED = 1 << 16  # in place of an exit status: run the real python


def shim(address: Path) -> str:
    """The `python` whose programs are run by the server at `address`."""
    python, script, socket = (shlex.quote(str(path)) for path in (sys.executable, Path(__file__).resolve(), address))
    return f"""#!/bin/sh
case "$1" in
    *.py | -m) exec {python} -I -S {script} --client {socket} {python} "$@" ;;
    *) exec {python} "$@" ;;
esac
"""


def client(address: str, python: str, *arguments: str) -> None:
    """Ask the server at `address` to run the program, and end as it ends."""
    request = {
        "arguments": arguments, "folder": os.getcwd(), "umask": os.umask(0o022), "environment": dict(os.environ),
    }  # fmt: skip
    os.umask(request["umask"])
    code = REFUSED
    try:
        for number in (0, 1, 2):
            os.fstat(number)  # a socket would get the number of one that is closed
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(address)
        with open(os.memfd_create("request"), "w") as file:
            json.dump(request, file)
            file.flush()
            signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)  # until they can be passed on
            socket.send_fds(connection, [b"?"], [0, 1, 2, file.fileno()])  # all in one piece, or nothing
    except OSError:  # a standard file is closed, or no server is there
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    else:
        handle(PASSED_ON, lambda number, frame: connection.send(bytes([number])))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        status = connection.recv(4)
        code = int.from_bytes(status, "big", signed=True) if len(status) == 4 else 1
    if code == REFUSED:
        os.execv(python, [python, *arguments])
    if code < 0:
        with contextlib.suppress(OSError):  # SIGKILL has no other handler
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def handle(signals: tuple[signal.Signals, ...], handler: Callable) -> None:
    """Set the handler for those of the signals that this process was not started to ignore."""
    for number in signals:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


def suits(environment: dict[str, str]) -> bool:
    """Whether a caller's environment agrees with the server's in the variables that are read when a process starts."""
    other = {name for name, _ in environment.items() ^ os.environ.items()}
    return not any(name.startswith(AT_START) for name in other - {"PYTHONPATH"})


def execute(request: dict, files: list[int]) -> int:
    """Run the program in this process, and return its exit status."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.umask(request["umask"])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    alike_to_a_new_process()
    for name, mode, buffering in (("stdin", "r", -1), ("stdout", "w", -1), ("stderr", "w", 1)):
        text = {"encoding": getattr(sys, name).encoding, "errors": getattr(sys, name).errors}
        file = os.fdopen(("stdin", "stdout", "stderr").index(name), mode, buffering, closefd=False, **text)
        setattr(sys, name, file)
        setattr(sys, f"__{name}__", file)
    sys.path[0:1] = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    code = 0
    try:
        if request["arguments"][0] == "-m":
            sys.argv = request["arguments"][1:]
            sys.path.insert(0, os.getcwd())
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            sys.argv = request["arguments"]
            sys.path.insert(0, str(Path(sys.argv[0]).resolve().parent))
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if ended.code is not None and not isinstance(ended.code, int):
            print(ended.code, file=sys.stderr)
    except BaseException as error:
        traceback.print_exc()
        code = -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    try:
        if folder := os.environ.get(IMPORTED):
            library = [
                getattr(module, "__file__", None) for name, module in sys.modules.items() if "audiopriors" in name
            ]
            record = {"arguments": sys.argv, "library": sorted(filter(None, library))}
            Path(folder, f"{os.getpid()}.json").write_text(json.dumps(record))
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception:  # as Python does where standard output cannot be written
        code = code or 120
    if code == -signal.SIGINT:  # as Python ends when it is interrupted
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return code & 0xFF


def alike_to_a_new_process() -> None:
    """Reset what a fork shares with its server, but a new process would have of its own."""
    import numpy

    numpy.random.seed()


def received(connection: socket.socket, files: list[int]) -> dict:
    """A caller's request. Its standard files are added to `files`, to be closed even if this raises."""
    files += socket.recv_fds(connection, 1, 4)[1]
    if len(files) < 4:
        raise ConnectionError("the caller is no more")
    with open(files.pop()) as request:
        request.seek(0)
        return json.load(request)


def answer(connection: socket.socket, code: int) -> None:
    with connection, contextlib.suppress(OSError):  # a caller that is no more
        connection.sendall(code.to_bytes(4, "big", signed=True))


def serve(listener: socket.socket) -> int:
    """Run the programs of all callers until standard input ends. Return 0, or in a program's process its status."""
    import ctypes  # not for a caller: it takes time

    server, prctl = os.getpid(), ctypes.CDLL(None).prctl
    programs = {}  # file descriptor of a process: its number and its caller
    waiting = set()  # connections of callers whose request is still to come
    while True:
        callers = {connection: process for process, (_, connection) in programs.items()}
        ready = set(select.select([listener, sys.stdin, *waiting, *programs, *callers], [], [])[0])
        for connection in ready & set(callers):
            for signum in connection.recv(16) or [signal.SIGKILL]:  # what the caller passes on; or it is no more
                os.kill(programs[callers[connection]][0], signum)
        for process in ready & set(programs):
            number, connection = programs.pop(process)
            _, status = os.waitpid(number, 0)
            os.close(process)
            answer(connection, os.waitstatus_to_exitcode(status))
        if sys.stdin in ready:
            return 0
        if listener in ready:
            waiting.add(listener.accept()[0])
        for connection in ready & waiting:
            waiting.remove(connection)
            files = []
            try:
                request = received(connection, files)
                number = os.fork() if suits(request["environment"]) else None
            except (OSError, ValueError):  # a caller that is no more, or no room for another process
                number = None
            if number is None:
                answer(connection, REFUSED)
            elif number:
                programs[os.pidfd_open(number)] = number, connection
            else:
                prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: however the server ends, this is killed
                if os.getppid() != server:  # it has ended
                    return 1
                # The connection stays open here, so that the caller of a server that ends hears of it after this, too.
                others = [other for _, other in programs.values()]
                for other in (listener, *waiting, *others):
                    other.close()
                for process in programs:
                    os.close(process)
                return execute(request, files)
            for file in files:
                os.close(file)


def main(folder: Path) -> int:
    """Make FOLDER/python and serve it."""
    os.environ.update(THREADS)
    # As in audiopriors/plotting.py, which says why. Each program has its own caller's working folder and environment.
    os.environ["MPLBACKEND"] = "Agg"
    with contextlib.chdir(Path(importlib.util.find_spec("matplotlib").origin).with_name("mpl-data")):
        import matplotlib.pyplot  # noqa: F401
        import seaborn  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import scipy.signal
    import scipy.stats  # noqa: F401
    import snakemake.cli  # noqa: F401
    import soundfile  # noqa: F401
    import torch  # noqa: F401
    import torchaudio.functional  # noqa: F401

    for thing in list(weakref.finalize._registry):
        thing.atexit = False  # the server's, not a program's to end
    gc.collect()
    gc.freeze()  # a collection in a program would copy all pages of the server's objects
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
        listener.listen(64)
        (folder / "python").write_text(shim(folder / "socket"))
        (folder / "python").chmod(0o755)
        print("ready", flush=True)
        return serve(listener)


def run(*command: str) -> int:
    """Run the command with a warm `python` first on PATH, or unchanged if none can be served. Return its status."""
    if not hasattr(os, "pidfd_open"):  # not Linux
        os.execvp(command[0], command)
    received_signals, server, process = [], None, None

    def tell(number: int, frame: object) -> None:
        """Pass signals on to the command, whose end is waited for; before it is started, they end the server."""
        received_signals.append(number)
        if process and number != signal.SIGINT:  # a terminal sends that to both
            process.send_signal(number)
        elif server and not process:
            server.terminate()

    handle((signal.SIGHUP, signal.SIGINT, signal.SIGTERM), tell)
    folder = Path(tempfile.mkdtemp())  # a socket's path is short
    try:
        server = subprocess.Popen(
            [sys.executable, __file__, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        served = b"" if received_signals else server.stdout.readline()
        if received_signals:
            server.terminate()
            return -received_signals[0]
        path = os.environ["PATH"]
        environment = os.environ | {"PATH": f"{folder}{os.pathsep}{path}" if served else path}
        process = subprocess.Popen(command, env=environment)
        for number in received_signals:  # since then
            process.send_signal(number)
        return process.wait()
    finally:
        server.communicate()
        shutil.rmtree(folder)


if __name__ == "__main__":
    if sys.argv[1] == "--client":
        client(*sys.argv[2:])
    elif sys.argv[1] == "--run":
        status = run(*sys.argv[2:])
        sys.exit(status if status >= 0 else 128 - status)
    else:
        status = main(Path(sys.argv[1]))
        os._exit(status)
