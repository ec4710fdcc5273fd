"""The files of code that a program's result depends on: those that it imports, and those that they import.

They are inputs of the program's rule. So a change of one of them, and only that, reruns it.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

LIBRARY = Path(__file__).parents[1]

# Modules that change no number: they write errors, files and records, list what can be loaded, or name types.
CHANGES_NO_NUMBER = frozenset({"__init__", "errors", "files", "provenance", "checkpoints", "registry", "types"})


def of_program(
    name: str, *, data: str | None = None, families: Iterable[str] = (), samplers: Iterable[str] = (),
    laws: Iterable[str] = (),
) -> list[str]:  # fmt: skip
    """Paths of the library's files, below the library's folder, that the result of scripts/NAME.py depends on.

    data, families, samplers, laws: modules of data/, priors/, separation/methods/ and posteriors/ that it loads by
    name; its imports do not show them.
    """
    loaded = [("data", data)] if data else []
    loaded += [("priors", family) for family in families] + [("separation/methods", sampler) for sampler in samplers]
    loaded += [("posteriors", law) for law in laws]
    wanted = [LIBRARY.parent / f"{name}.py", *(LIBRARY / folder / f"{module}.py" for folder, module in loaded)]
    reached: dict[Path, None] = dict.fromkeys(wanted[1:])
    while wanted:
        for path in imported_by(wanted.pop()):
            if path not in reached:
                reached[path] = None
                wanted.append(path)
    for folder in {path.parent / "templates" for path in reached}:  # of pages
        reached |= dict.fromkeys(folder.glob("*"))
    return sorted(path.relative_to(LIBRARY).as_posix() for path in reached)


@functools.cache
def imported_by(path: Path) -> tuple[Path, ...]:
    """The library's files that a file imports anywhere in it, without those that change no number."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = LIBRARY in path.parents
    modules = [module for node in _statements(tree) for module in _modules(node, path.parent if inside else None)]
    return tuple(dict.fromkeys(module for module in modules if module.stem not in CHANGES_NO_NUMBER))


def _statements(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements, without those that only a type checker sees."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        else:
            yield from _statements(node)


def _modules(node: ast.Import | ast.ImportFrom, folder: Path | None) -> Iterator[Path]:
    """The library's files that an import statement names, in a file in `folder` or in a script."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            package, *parts = alias.name.split(".")
            if package == LIBRARY.name:
                yield from _file(LIBRARY, parts)
        return
    parts = node.module.split(".") if node.module else []
    if node.level:
        assert folder is not None  # a script has no relative imports
        start = folder
        for _ in range(node.level - 1):
            start = start.parent
    elif parts and parts[0] == LIBRARY.name:
        start, parts = LIBRARY, parts[1:]
    else:
        return
    for alias in node.names:  # a module of a package, or a name in a module
        yield from _file(start, [*parts, alias.name]) or _file(start, parts)


def _file(start: Path, parts: list[str]) -> list[Path]:
    place = start.joinpath(*parts)
    return [path for path in (place.with_suffix(".py"), place / "__init__.py") if parts and path.is_file()][:1]
