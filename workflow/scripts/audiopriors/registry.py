"""The prior families, kinds of data and samplers, found by file name: each is one file of its folder.

The settings of each are the fields of the `Config` dataclass in its file. They are read from the source text, not
imported: the workflow needs names and types, but not the seconds that importing torch takes.
"""

from __future__ import annotations

import ast
import functools
import importlib
import pkgutil
from pathlib import Path
from typing import Any

from .errors import UserError
from .types import SCHEMAS

_FOLDER = Path(__file__).parent


def names(kind: str) -> list[str]:
    """The names of a folder's modules but `base`: of `priors`, `data`, `posteriors` or `separation/methods`."""
    return sorted(module.name for module in pkgutil.iter_modules([str(_FOLDER / kind)]) if module.name != "base")


def load(kind: str, name: str):
    """Import the module of that name.

    Raises
    ------
    UserError: there is no such file; the message lists those that exist.
    """
    if name not in names(kind):
        raise UserError(f"there is no {name!r} in {kind}: there are {', '.join(names(kind))}")
    return importlib.import_module(f"{__package__}.{kind.replace('/', '.')}.{name}")


def settings(kind: str, name: str, values: dict):
    """The `Config` of that module, filled with these settings (JSON types: lists become tuples)."""
    config = load(kind, name).Config
    return config(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})


def open_data(described: dict, path: str):
    """Open a data set as `Frames`. described: its kind, and the settings for that kind's Config."""
    kind = described["kind"]
    return load("data", kind).Frames(path, settings("data", kind, described["settings"]))


def constant(kind: str, name: str, constant_name: str):
    """A constant of that module, read from its text: importing the module may take seconds."""
    tree = ast.parse((_FOLDER / kind / f"{name}.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(one) for one in node.targets] == [constant_name]:
            return ast.literal_eval(node.value)
    raise KeyError(constant_name)


@functools.cache
def says(kind: str, name: str, attribute: str):
    """A class attribute of that module, such as `needs_plan`, read from its text; if it is not set there, `base`'s."""
    for module in (name, "base"):
        tree = ast.parse((_FOLDER / kind / f"{module}.py").read_text(encoding="utf-8"))
        for statement in (one for node in tree.body if isinstance(node, ast.ClassDef) for one in node.body):
            if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
                continue
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if [ast.unparse(one) for one in targets] == [attribute]:
                return ast.literal_eval(statement.value)
    raise KeyError(attribute)


@functools.cache
def arguments(kind: str, name: str, function: str) -> list[str]:
    """The argument names of a function of that module, read from its text."""
    tree = ast.parse((_FOLDER / kind / f"{name}.py").read_text(encoding="utf-8"))
    (definition,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
    return [argument.arg for argument in definition.args.args]


def schema(kind: str, name: str) -> dict:
    """The JSON schema of the `Config` of that module."""
    return schema_of(_FOLDER / kind / f"{name}.py", "Config")


@functools.cache
def schema_of(path: Path, name: str) -> dict:
    """The JSON schema of a dataclass in a file: names, types, defaults and the docstring under each field.

    It has the fields of its bases, too, each given as the class of a file beside it, such as `score.Config`.

    Raises
    ------
    UserError: a field has a type that a setting cannot have.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    (config,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    properties: dict[str, dict] = {}
    for base in map(ast.unparse, config.bases):
        module, _, of_base = base.partition(".")
        properties |= schema_of(path.with_name(f"{module}.py"), of_base)["properties"]
    for position, node in enumerate(config.body):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        annotation = ast.unparse(node.annotation)
        field: dict[str, Any]
        if annotation.startswith("Literal["):
            field = {"enum": list(ast.literal_eval("(" + annotation[len("Literal[") : -1] + ",)"))}
        elif annotation in SCHEMAS:
            field = dict(SCHEMAS[annotation])
        else:
            raise UserError(f"{path.name}: a setting cannot be of type {annotation}; use {', '.join(SCHEMAS)}")
        if node.value is not None:
            field["default"] = ast.literal_eval(node.value)
        below = config.body[position + 1] if position + 1 < len(config.body) else None
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            field["description"] = below.value.value
        properties[node.target.id] = field
    return {
        "type": "object", "properties": properties, "additionalProperties": False,
        "required": [key for key, field in properties.items() if "default" not in field],
    }  # fmt: skip
