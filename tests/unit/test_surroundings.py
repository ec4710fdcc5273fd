"""What a user's machine has set for other programs changes no byte of a figure, nor which python runs the jobs."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
import warm_python
from audiopriors.errors import UserError
from audiopriors.pipeline.surroundings import path_of_jobs
from conftest import REAL, ROOT

SCRIPTS = ROOT / "workflow" / "scripts"
PROGRAM = '''
"""A figure with decimals, mathematics, a long line and labels that are not ASCII."""
import numpy as np
import pandas as pd
from audiopriors import plotting


def draw(settings, inputs):
    figure, panels = plotting.grid(1, 2, 2)
    table = pd.DataFrame({"x": np.linspace(0, 1.5, 20000)}).assign(y=lambda rows: 2500 * np.sin(50 * rows["x"]))
    panels[0, 0].plot(table["x"], table["y"], label="σ = 0.5")
    panels[0, 1].loglog([0.1, 0.5], [100, 4])
    plotting.legend(figure, panels[0, 0])
    figure.supylabel("‖∇ log p$_σ$(x)‖²")
    return figure, table.iloc[::1000].assign(name="é")


if __name__ == "__main__":
    plotting.program(__doc__, draw)
'''
DARK = "axes.facecolor: black\ntext.color: white\naxes.edgecolor: white\nlegend.labelcolor: white\n"
SIZES = "figure.dpi: 300\nsavefig.dpi: 50\nsavefig.transparent: True\nsavefig.pad_inches: 1\nsavefig.bbox: tight\n"
FONTS = "font.family: serif\nfont.size: 20\nmathtext.fontset: cm\naxes.unicode_minus: False\n"
PATHS = (
    "path.simplify: False\nagg.path.chunksize: 100\npath.sketch: 1, 100, 2\npdf.compression: 0\nsvg.fonttype: none\n"
)
GERMAN = {"LC_ALL": "de_DE.UTF-8", "LOCPATH": "{folder}"}
BROKEN = "no colon\nno.such_key: 1\nlines.linewidth: wide\nfont.size: 20\nfont.size: 30\n"

# What is in the environment, and files beside the program or below the home folder.
SETTINGS = {
    "a notebook's backend": ({"MPLBACKEND": "module://matplotlib_inline.backend_inline"}, {}),
    "no such backend": ({"MPLBACKEND": "nonsense"}, {}),
    "LaTeX": ({}, {"matplotlibrc": "text.usetex: True\nbackend: pgf\n"}),
    "LaTeX, by a variable": ({"MATPLOTLIBRC": "{folder}/mine"}, {"mine": "text.usetex: True\n"}),
    "LaTeX, for all": ({}, {".config/matplotlib/matplotlibrc": "text.usetex: True\n"}),
    "a folder of settings": ({"MPLCONFIGDIR": "{folder}/mine"}, {"mine/matplotlibrc": DARK}),
    "dark": ({}, {"matplotlibrc": DARK}),
    "sizes": ({}, {"matplotlibrc": SIZES}),
    "fonts": ({}, {"matplotlibrc": FONTS}),
    "paths": ({}, {"matplotlibrc": PATHS}),
    "German decimals": (GERMAN, {"matplotlibrc": "axes.formatter.use_locale: True\n"}),
    "no such locale": ({"LC_ALL": "xx_XX"}, {"matplotlibrc": "axes.formatter.use_locale: True\n"}),
    "mistakes": ({}, {"matplotlibrc": BROKEN}),
    "another encoding": ({}, {"matplotlibrc": b"font.family: \xe9\n"}),
    "no such file": ({"MATPLOTLIBRC": "{folder}/nothing"}, {}),
    "no encoding": ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {}),
    "a date": ({"SOURCE_DATE_EPOCH": "1", "TZ": "Asia/Tokyo"}, {}),
    "another order of sets": ({"PYTHONHASHSEED": "1"}, {}),
    "another font": ({"XDG_CACHE_HOME": "{folder}/new"}, {".local/share/fonts/Arial.ttf": "Arial"}),
}  # fmt: skip


def drawn(folder, variables, files, cache):
    """What the program draws and what it says. It is started in the folder, which is its user's home as well."""
    folder.mkdir()
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    if variables == GERMAN:
        subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", folder / "de_DE.UTF-8"], capture_output=True)
        if not (folder / "de_DE.UTF-8").exists():
            pytest.skip("this machine cannot make a German locale")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if content == "Arial":
            write_serif_as_arial(folder / name)
        else:
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    environment = {"HOME": str(folder), "XDG_CACHE_HOME": str(cache), "PATH": os.environ["PATH"]}
    environment |= {"PYTHONPATH": str(SCRIPTS)}
    environment |= {name: value.format(folder=folder) for name, value in variables.items()}
    done = subprocess.run(
        [sys.executable, "program.py", "--settings", "{}", "--inputs", "program.py", "--pdf", "a.pdf", "--png",
         "a.png", "--csv", "a.csv"], cwd=folder, env=environment, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {name: (folder / name).read_bytes() for name in ("a.pdf", "a.png", "a.csv")}, done.stderr


def write_serif_as_arial(path):
    """A font with the name of seaborn's first choice, and other letters than matplotlib's own."""
    import matplotlib
    from fontTools.ttLib import TTFont

    font = TTFont(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSerif.ttf")
    for record in font["name"].names:
        if record.nameID in (1, 16):
            record.string = "Arial"
    font.save(path)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Where matplotlib keeps its list of fonts, which takes a second to make."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def plain(tmp_path_factory, cache):
    """The files without any settings."""
    return drawn(tmp_path_factory.mktemp("plain") / "place", {}, {}, cache)[0]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_figure_has_the_same_bytes_whatever_is_set(plain, tmp_path, cache, name):
    files, said = drawn(tmp_path / "place", *SETTINGS[name], cache)
    assert [kind for kind in plain if files[kind] != plain[kind]] == []
    assert "matplotlibrc" not in said and "locale" not in said


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("figure_*.py")), ids=lambda path: path.stem)
def test_figures_import_ours_before_matplotlib(path):
    """Which has none of the user's settings only if audiopriors.plotting imports it."""
    statements = ast.walk(ast.parse(path.read_text("utf-8")))
    imports = [statement for statement in statements if isinstance(statement, ast.Import | ast.ImportFrom)]
    names = [
        alias.name if isinstance(line, ast.Import) else str(line.module) for line in imports for alias in line.names
    ]
    libraries = [name.split(".")[0] for name in names]
    assert next(name for name in libraries if name in ("audiopriors", "matplotlib", "seaborn")) == "audiopriors"


@pytest.fixture
def write(tmp_path):
    """Writes a `python`, and returns its folder."""

    def written(name, content):
        python = tmp_path / name / "python"
        python.parent.mkdir()
        python.write_text(content)
        python.chmod(0o755)
        return python.parent

    return written


def test_a_path_stays_where_its_python_runs_the_interpreter(tmp_path, write):
    (tmp_path / "link").symlink_to(REAL)
    own = f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n"
    folders = [REAL, tmp_path / "link", write("warm", warm_python.shim(tmp_path / "socket")), write("own", own)]
    for folder in folders:
        path = f"/nowhere:{folder}::/bin"
        assert path_of_jobs(path, sys.executable) == path


def test_the_interpreter_is_put_before_any_other_python(tmp_path, write):
    failing, mute, no_script = write("failing", "#!/bin/sh\nexit 1\n"), write("mute", "#!/bin/sh\n"), write("no", "?")
    other = tmp_path / "other"  # of another environment: the same file
    other.mkdir()
    (other / "python").symlink_to(Path(sys.executable).resolve())
    for path in (failing, mute, no_script, other, f"{other}:{REAL}", "/nowhere", ":", "relative/bin"):
        assert path_of_jobs(str(path), sys.executable) == f"{REAL}:{path}"
    for path in (None, ""):
        assert path_of_jobs(path, sys.executable) == f"{REAL}:{os.defpath}"


def test_an_interpreter_that_no_path_leads_to_is_refused(tmp_path):
    (tmp_path / "python3").symlink_to(Path(sys.executable).resolve())
    for interpreter in (str(tmp_path / "python3"), ""):
        with pytest.raises(UserError, match="jobs run `python`, and "):
            path_of_jobs("/nowhere", interpreter)
