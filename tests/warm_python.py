"""A `python` for jobs of the tests that forks from one process which has imported torch already.

    python warm_python.py FOLDER        makes FOLDER/python and serves it until standard input ends

A program that FOLDER/python is given runs in a fork of the server, with the caller's arguments, environment, folder and
files; the caller ends with its exit status. If the caller is killed, so is the program. Where no server listens, or for
other arguments than a script, FOLDER/python is the real one.
"""

import json
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from pathlib import Path

SHIM = """#!/bin/sh
case "$1" in
    *.py) exec '{python}' -I -S '{client}' --client '{socket}' '{python}' "$@" ;;
    *) exec '{python}' "$@" ;;
esac
"""


def client(address: str, python: str, *arguments: str) -> None:
    """Ask the server at `address` to run the program, and end as it ends."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(address)
        except OSError:
            os.execv(python, [python, *arguments])
        request = json.dumps({"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}).encode()
        socket.send_fds(connection, [len(request).to_bytes(8, "big")], [0, 1, 2])
        connection.sendall(request)
        status = connection.recv(4)
    code = int.from_bytes(status, "big", signed=True) if len(status) == 4 else 1
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def execute(request: dict, files: list[int]) -> None:
    """Be the program: in a process of its own, which ends here."""
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = list(request["arguments"])
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
    for variable in reversed(os.environ.get("PYTHONPATH", "").split(os.pathsep)):
        if variable:
            sys.path.insert(1, variable)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, encoding="utf-8", closefd=False, buffering=buffering, errors=errors)
        for number, mode, buffering, errors in (
            (0, "r", -1, "strict"),
            (1, "w", -1, "strict"),
            (2, "w", 1, "backslashreplace"),
        )
    )
    code = 0
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def keep(connection: socket.socket) -> None:
    """Run one program for one caller: in a process of its own, which ends here."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, files, *_ = socket.recv_fds(connection, 8, 3)
    content = b""
    while len(content) < int.from_bytes(size, "big"):
        content += connection.recv(1 << 20)
    program = os.fork()
    if not program:
        connection.close()
        execute(json.loads(content), files)
    for file in files:
        os.close(file)
    ended = os.pidfd_open(program)
    if connection in select.select([ended, connection], [], [])[0]:  # the caller is no more
        os.kill(program, signal.SIGKILL)
    _, status = os.waitpid(program, 0)
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    try:
        connection.sendall(code.to_bytes(4, "big", signed=True))
    finally:
        os._exit(0)


def serve(folder: Path) -> None:
    """Make FOLDER/python and answer it until standard input ends."""
    import matplotlib.pyplot  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import scipy.stats  # noqa: F401
    import soundfile  # noqa: F401
    import torch  # noqa: F401
    import torchaudio.functional  # noqa: F401

    address, shim = folder / "socket", folder / "python"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen(64)
        shim.write_text(SHIM.format(python=sys.executable, client=Path(__file__).resolve(), socket=address))
        shim.chmod(0o755)
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            if sys.stdin in select.select([listener, sys.stdin], [], [])[0]:
                return
            connection, _ = listener.accept()
            if not os.fork():
                listener.close()
                keep(connection)
            connection.close()


if __name__ == "__main__":
    if sys.argv[1] == "--client":
        client(*sys.argv[2:])
    else:
        os.environ.setdefault("MPLBACKEND", "Agg")
        serve(Path(sys.argv[1]))
