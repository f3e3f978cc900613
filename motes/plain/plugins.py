"""What the source of another package says of its classes, without importing them: that would load torch.

A place is "package.module:Class", the value of an entry point.
"""

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from motes.errors import UserError


@cache
def file_of_module(module: str) -> Path:
    """The file of a module of another package; packages around it are not imported."""
    first, *inner = module.split(".")
    spec = find_spec(first)
    folders = [] if spec is None else (spec.submodule_search_locations or [])
    candidates = [Path(folder, *inner) for folder in folders]
    files = [file for path in candidates for file in (path.with_suffix(".py"), path / "__init__.py")]
    if not inner and spec is not None and spec.origin is not None:
        files = [Path(spec.origin)]
    for file in files:
        if file.is_file():
            return file
    raise UserError(
        f"an installed package adds {module} to motes, and {module} cannot be found; reinstall or remove it"
    )


def about_class(place: str) -> str:
    """The first line of a class's docstring."""
    documented = ast.get_docstring(_class_at(place)) or ""
    return documented.partition("\n")[0].rstrip(".")


def literal_of(place: str, name: str) -> Any:
    """The value that a class gives a name as a literal; None if it gives none."""
    for node in _class_at(place).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    return None


def _class_at(place: str) -> ast.ClassDef:
    module, _, name = place.partition(":")
    tree = ast.parse(file_of_module(module).read_text())
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node
    raise UserError(
        f"an installed package adds {place} to motes, and there is no such class; reinstall or remove it"
    )
