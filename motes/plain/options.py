"""Options with a dot, such as `--model.num-particles 20`, which set fields of Config dataclasses.

The fields are read from source code, without importing torch.
"""

import ast
import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_origin

from motes.errors import UserError
from motes.plain.kinds import Unfit, fit, kind_in_source, spelled
from motes.plain.plugins import file_of_module

ROOT = Path(__file__).parents[1]
# options without a dot that are proposed for one that is misspelt
SHORT = ("--data", "--out", "--steps", "--max-minutes", "--seed", "--resume")


@dataclass(frozen=True)
class Option:
    """One field of a config dataclass, as text from its source code."""

    name: str
    # its annotation
    kind: str
    # its default value, as an expression
    default: str
    # the comment above the field
    about: str


def nearest(name: str, names: Iterable[str], what: str) -> str:
    """An error sentence for a name that does not exist, with a similar name or all names.

    `what` says what kind of thing the name should be.
    """
    names = list(names)
    close = difflib.get_close_matches(name, names, 1, 0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(names)}"
    return f"there is no {what} {name!r}; {hint}"


@cache
def options_of(place: str) -> dict[str, Option]:
    """The fields of a dataclass by name, where `place` is "folder/module:Class" below `motes/`, or
    "package.module:Class" of another package.

    If the class is a model or data set, which sets `Config = ...`, they are the fields of that config, which
    may be in another module.
    """
    module, _, name = place.partition(":")
    file = ROOT / f"{module}.py" if "/" in module else file_of_module(module)
    source = file.read_text()
    tree = ast.parse(source)
    config = _config_name(_class_named(name, tree))
    cls = _class_named(config, tree)
    if cls is None:
        return options_of(f"{_module_of(config, tree, module)}:{config}")
    lines = source.splitlines()
    options = [_option(node, lines) for node in cls.body if isinstance(node, ast.AnnAssign)]
    return {option.name: option for option in options if not option.kind.startswith("ClassVar")}


def _class_named(name: str, tree: ast.Module) -> ast.ClassDef | None:
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    return next((cls for cls in classes if cls.name == name), None)


def _module_of(name: str, tree: ast.Module, module: str) -> str:
    """The module from which the parsed module `tree`, called `module`, imports a name.

    It is "folder/module" below `motes/`, or "package.module".
    """
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names]:
            # from .config import Config
            around = module.rsplit(".", node.level)[0] if node.level else ""
            full = ".".join(filter(None, [around, node.module]))
            return full.removeprefix("motes.").replace(".", "/") if full.startswith("motes.") else full
    raise KeyError(name)


def _config_name(cls: ast.ClassDef | None) -> str:
    """The name of the class's config: what its line `Config = ...` names, or the class itself if it has no
    such line."""
    assert cls is not None
    for node in cls.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "Config":
            return ast.unparse(node.value)
    return cls.name


def _option(field: ast.AnnAssign, lines: Sequence[str]) -> Option:
    return Option(
        name=ast.unparse(field.target),
        kind=ast.unparse(field.annotation),
        default=ast.unparse(field.value) if field.value else "",
        about=_comment_above(field, lines),
    )


def _comment_above(field: ast.AnnAssign, lines: Sequence[str]) -> str:
    """The comment lines directly above a field, joined to one text; empty if there are none."""
    comment: list[str] = []
    for line in reversed(lines[: field.lineno - 1]):
        if not line.strip().startswith("# "):
            break
        comment.insert(0, line.strip().removeprefix("# "))
    return " ".join(comment)


def read_options(words: Sequence[str], homes: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The values of options `--home.name value ...`, as home -> name -> value; names and values are checked.

    `homes` maps each word that may stand before the dot to the class with its options, such as "model" to
    "models/particles/dlp:DeepLatentParticles".
    """
    options: dict[str, dict[str, Any]] = {home: {} for home in homes}
    for word, values in _with_their_values(words):
        home, name = _home_and_name(word, homes)
        option = _known_option(home, name.replace("-", "_"), homes[home])
        options[home][option.name] = _value(spelling(home, option.name), option, values)
    return options


def spelling(home: str, name: str) -> str:
    """The option as it is written on the command line, such as "--model.num-particles"."""
    return f"--{home}.{name.replace('_', '-')}"


def _home_and_name(word: str, homes: Iterable[str]) -> tuple[str, str]:
    home, dot, name = word.removeprefix("--").partition(".")
    if not word.startswith("--") or not dot or home not in homes:
        raise UserError(nearest(word, [*SHORT, *(f"--{home}.OPTION" for home in homes)], "option"))
    return home, name


def _with_their_values(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yields each option with the words after it that are its values.

    `--home.name=value` is read as an option and one value.
    """
    words = [part for word in words for part in _parted(word)]
    while words:
        end = next((n for n, word in enumerate(words) if n and word.startswith("--")), len(words))
        yield words[0], words[1:end]
        words = words[end:]


def _parted(word: str) -> list[str]:
    name, equals, value = word.partition("=")
    return [name, value] if equals and name.startswith("--") else [word]


def _known_option(home: str, name: str, place: str) -> Option:
    options = options_of(place)
    if name not in options:
        names = [spelling(home, name) for name in options]
        raise UserError(nearest(spelling(home, name), names, "option"))
    return options[name]


def _value(option: str, field: Option, words: list[str]) -> Any:
    """The value that the words give a field; if it does not fit, the error names the option."""
    kind = kind_in_source(field.kind)
    if kind is bool and not words:
        return True
    if get_origin(kind) is not tuple:
        _refuse_several(option, words)
    value = spelled(words, kind)
    if value == []:
        raise UserError(f"{option} wants numbers, such as {option} 64 64")
    try:
        return fit(value, kind)
    except Unfit as problem:
        raise UserError(_refusal(option, problem)) from None


def _refuse_several(option: str, words: Sequence[str]) -> None:
    if len(words) != 1:
        raise UserError(
            f"{option} wants one value, not {len(words)}; a preset's name comes before the options"
        )


def _refusal(option: str, problem: Unfit) -> str:
    if problem.choices:
        return nearest(problem.value, problem.choices, f"value of {option}")
    got = len(problem.value) if isinstance(problem.value, list) else repr(problem.value)
    return f"{option} wants {problem.wanted}, not {got}"
