"""The tests' warm python is like the real one to those who call it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import warm_python
from conftest import REAL, Workplace, default_signals

LOOK = """
import json, os, sys
warm = "torch" in sys.modules
print(json.dumps({
    "warm": warm, "name": __name__, "arguments": sys.argv[1:], "folder": os.getcwd(), "first": sys.path[0],
    "variable": os.environ.get("VARIABLE"), "others": len(os.environ.get("MANY", "")), "mask": os.umask(0),
    "standard input": sys.stdin.read(), "flags": str(sys.flags), "encodings": [sys.stdout.encoding, sys.stderr.errors],
}))
print("last words é", file=sys.stderr)
"""


@pytest.fixture
def programs(warm) -> Path:
    assert warm != REAL, "it did not start"
    return warm


def run(python: Path, *command, timeout: float = 60, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [python / "python", *map(str, command)], text=True, capture_output=True, timeout=timeout, **options
    )


def runs(number: int) -> bool:
    """Whether there is such a process, other than one that has ended and that nobody has asked about."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def ends(number: int) -> bool:
    """Whether a process that is killed is gone soon."""
    end = time.monotonic() + 20
    while runs(number) and time.monotonic() < end:
        time.sleep(0.02)
    return not runs(number)


def write_shim(folder: Path, socket: Path) -> None:
    shim = folder / "python"
    shim.write_text(warm_python.shim(socket))
    shim.chmod(0o755)


def test_a_program_sees_what_its_caller_has(programs, tmp_path):
    script = tmp_path / "look é.py"
    script.write_text(LOOK)
    environment = os.environ | {"VARIABLE": "\udce9 é", "MANY": "x" * 100_000, "PYTHONPATH": str(tmp_path / "below")}
    options = {"cwd": tmp_path, "env": environment, "umask": 0o027, "input": "from outside"}
    for command in ((script, "--one", "two words"), ("-m", "look é", "one")):
        results = [run(python, *command, **options) for python in (programs, REAL)]
        warm, real = (json.loads(done.stdout) for done in results)
        assert warm.pop("warm") and not real.pop("warm") and warm == real
        assert [done.stderr for done in results] == ["last words é\n"] * 2
    assert run(programs, "-c", "import sys; print('torch' in sys.modules)").stdout == "False\n"


def test_a_caller_to_whom_another_start_is_due_gets_the_real_one(programs, tmp_path):
    """Where what is read when a process starts is another value, or is only the caller's or only the server's."""
    script = tmp_path / "look.py"
    script.write_text(LOOK)
    without = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    environments = [os.environ, os.environ | {"PYTHONPATH": "elsewhere"}, without]
    environments += [os.environ | {name: "7"} for name in ("OMP_NUM_THREADS", "PYTHONHASHSEED", "TZ")]
    seen = [json.loads(run(programs, script, input="", env=one).stdout)["warm"] for one in environments]
    assert seen == [True, True, False, False, False, False]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_caller_whose_standard_files_are_closed_gets_the_real_one(programs, tmp_path, closed):
    (tmp_path / "look.py").write_text("import sys\nopen('seen', 'w').write(str('torch' in sys.modules))")
    subprocess.run(f"exec {programs}/python look.py {closed}", shell=True, cwd=tmp_path, timeout=60, check=True)
    assert (tmp_path / "seen").read_text() == "False"


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("pass", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('a sentence')", 1, "a sentence\n"),
        ("sys.exit(True)", 1, ""),
        ("os._exit(75)", 75, ""),
        ("raise KeyboardInterrupt", -signal.SIGINT, "KeyboardInterrupt\n"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, ""),
        ("threading.Thread(target=lambda: [time.sleep(0.2), os.write(2, b'later\\n')]).start()", 0, "later\n"),
        ("atexit.register(lambda: print('at the end', file=sys.stderr))", 0, "at the end\n"),
    ],
)
def test_it_ends_as_the_program_ends(programs, tmp_path, line, code, said):
    script = tmp_path / "end.py"
    script.write_text(f"import atexit, os, signal, sys, threading, time\nprint('begun')\nsys.stdout.flush()\n{line}\n")
    for python in (programs, REAL):
        done = run(python, script)
        assert done.returncode == code and done.stdout == "begun\n" and done.stderr.endswith(said), done.stderr
        assert said or not done.stderr


def test_a_program_is_killed_with_its_caller(programs, tmp_path):
    script, number = tmp_path / "long.py", tmp_path / "number"
    script.write_text(
        "import os, pathlib, sys, time\nfile = pathlib.Path(sys.argv[1])\nfile.with_suffix('.new')"
        ".write_text(str(os.getpid()))\nfile.with_suffix('.new').rename(file)\ntime.sleep(60)\n"
    )
    caller = subprocess.Popen([programs / "python", script, number])
    while not number.exists():
        time.sleep(0.02)
    program = Path("/proc") / number.read_text()
    assert program.exists()
    caller.kill()
    caller.wait()
    end = time.monotonic() + 20
    while program.exists():  # not even as a zombie
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("number", "code", "left"),
    [(signal.SIGINT, -signal.SIGINT, False), (signal.SIGTERM, 7, False), (signal.SIGUSR1, -signal.SIGUSR1, True)],
)
def test_a_signal_to_the_caller_is_one_to_the_program(programs, tmp_path, number, code, left):
    script, file = tmp_path / "works.py", tmp_path / "some.tmp"
    script.write_text(
        "import pathlib, signal, sys, time\nsignal.signal(signal.SIGTERM, lambda number, frame: sys.exit(7))\n"
        "file = pathlib.Path(sys.argv[1])\ntry:\n    file.touch()\n    time.sleep(60)\n"
        "finally:\n    time.sleep(0.5)\n    file.unlink()\n"
    )
    for python in (programs, REAL):
        caller = subprocess.Popen(
            [python / "python", script, file], stderr=subprocess.DEVNULL, preexec_fn=default_signals
        )
        while not file.exists():
            time.sleep(0.02)
        caller.send_signal(number)
        assert caller.wait(timeout=20) == code and file.exists() == left
        file.unlink(missing_ok=True)


@pytest.mark.parametrize("number", [None, signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_programs_are_gone_when_callers_hear_that_the_server_ended(tmp_path, number):
    """So that nothing is written after Snakemake has deleted a job's files and begun it again."""
    (tmp_path / "write.py").write_text(
        "import os\nprint(os.getpid(), flush=True)\nfile = open('file', 'wb', buffering=0)\n"
        "while True:\n    file.write(b' ')\n"
    )
    serve = (
        "import os, socket, warm_python\nlistener = socket.socket(socket.AF_UNIX)\nlistener.bind('socket')\n"
        "listener.listen()\nprint('ready', flush=True)\nos._exit(warm_python.serve(listener))"
    )
    write_shim(tmp_path, Path("socket"))
    server = subprocess.Popen(
        [sys.executable, "-c", serve], env=os.environ | {"PYTHONPATH": str(Path(warm_python.__file__).parent)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path,
    )  # fmt: skip
    assert server.stdout.readline()
    caller = subprocess.Popen(["./python", "write.py"], cwd=tmp_path, stdout=subprocess.PIPE)
    program, file = int(caller.stdout.readline()), tmp_path / "file"
    while not file.exists() or not file.stat().st_size:
        time.sleep(0.02)
    if number:
        server.send_signal(number)
    server.communicate(timeout=20)
    assert caller.wait(timeout=20) == 1
    size = file.stat().st_size
    time.sleep(0.2)
    assert file.stat().st_size == size and ends(program)


def test_callers_that_die_or_say_nothing_are_no_harm(programs, tmp_path):
    (tmp_path / "look.py").write_text("import os, sys\nprint('torch' in sys.modules, os.getppid())")

    def server() -> str:
        """Its number, as one that it still runs a program for."""
        warm, number = run(programs, tmp_path / "look.py", timeout=15).stdout.split()
        assert warm == "True"
        time.sleep(0.2)  # it closes the connection
        return number

    def connected() -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(programs / "socket"))
        return connection

    opened = Path("/proc", server(), "fd")
    before = len(list(opened.iterdir()))
    with connected(), open(tmp_path / "look.py") as file:  # the first says nothing for as long as the others are served
        with connected():
            pass
        for files in ([], [0], [0, 1, 2], [0, 1, 2, file.fileno()]):  # which is no request
            with connected() as connection:
                socket.send_fds(connection, [b"?"], files)
        server()
    server()
    assert len(list(opened.iterdir())) == before


def test_random_numbers_without_a_seed_differ(programs, tmp_path):
    """So that a forgotten seed changes the bytes of two runs, as with the real one."""
    script = tmp_path / "draw.py"
    script.write_text(
        "import random, numpy\nprint(random.random(), numpy.random.random(), numpy.random.default_rng().random())"
    )
    one, two = (run(programs, script).stdout.split() for _ in range(2))
    assert len(one) == 3 and not set(one) & set(two)


def test_without_a_server_it_is_the_real_one(tmp_path):
    write_shim(tmp_path, tmp_path / "socket")
    (tmp_path / "look.py").write_text(LOOK)
    assert not json.loads(run(tmp_path, tmp_path / "look.py", input="").stdout)["warm"]


def test_workplaces_use_it(programs):
    assert Workplace.programs == programs


@pytest.mark.parametrize("name", ["clone", 'it\'s a "$HOME"\n# `é` 50 %'])
def test_a_command_is_run_with_a_warm_python_and_ends_as_it_ends(name):
    """Also from a clone, and with a folder for temporary files, whose names have what a shell takes as its own."""
    with tempfile.TemporaryDirectory() as short:  # a socket's path is short
        folder = Path(short) / name
        folder.mkdir()
        shutil.copy(warm_python.__file__, folder)
        (folder / "look.py").write_text('import sys; print("torch" in sys.modules); sys.exit(3)')
        command = [sys.executable, "warm_python.py", "--run", "sh", "-c", "python look.py; echo ended as $?; exit 5"]
        done = subprocess.run(
            command, cwd=folder, env=os.environ | {"TMPDIR": str(folder)}, text=True, capture_output=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert done.stdout == "True\nended as 3\n" and done.returncode == 5, done.stderr


def test_settings_of_matplotlib_do_not_reach_the_server(tmp_path):
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nno colon\n")
    (tmp_path / "look.py").write_text(
        'import sys; warm = "torch" in sys.modules; import matplotlib; print(warm, matplotlib.rcParams["text.usetex"])'
    )
    command = [sys.executable, warm_python.__file__, "--run", "python", "look.py"]
    environment = os.environ | {"MPLBACKEND": "nonsense", "MATPLOTLIBRC": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, text=True, capture_output=True, timeout=120)
    assert done.stdout == "True False\n" and done.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_interrupted_ends_and_leaves_nothing(tmp_path, number):
    script, begun = tmp_path / "wait.py", tmp_path / "begun"
    script.write_text(
        "import json, os, pathlib, sys, time\nfile = pathlib.Path('some.tmp')\nfile.touch()\ntry:\n"
        "    json.dump([os.getpid(), os.getppid(), os.environ['PATH'].split(':')[0]], open('new', 'w'))\n"
        "    os.rename('new', 'begun')\n    time.sleep(60)\nfinally:\n    file.unlink()\n"
    )
    command = ["sh", "-c", "python wait.py; echo not reached"]
    process = subprocess.Popen(
        [sys.executable, warm_python.__file__, "--run", *command], cwd=tmp_path, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=default_signals,
    )  # fmt: skip
    while not begun.exists():
        time.sleep(0.1)
    program, server, folder = json.loads(begun.read_text())
    assert runs(program) and runs(server) and (Path(folder) / "python").exists()
    if number == signal.SIGINT:  # as a terminal does
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 128 + number and output == ""
    assert not runs(server) and not Path(folder).exists() and ends(program)
    assert number != signal.SIGINT or not (tmp_path / "some.tmp").exists()


def test_a_command_that_is_not_begun_is_not_begun_after_a_signal(tmp_path):
    command = [sys.executable, warm_python.__file__, "--run", "touch", tmp_path / "begun"]
    process = subprocess.Popen(command, env=os.environ | {"TMPDIR": str(tmp_path)}, stderr=subprocess.DEVNULL)
    while not list(tmp_path.iterdir()):
        time.sleep(0.02)
    process.terminate()
    assert process.wait(timeout=20) == 128 + signal.SIGTERM and not list(tmp_path.iterdir())
