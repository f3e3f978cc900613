"""Options with a dot, `--model.num-particles 20`: read from the sources of the Config dataclasses, without
importing torch."""

import ast
import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from motes.errors import UserError

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Option:
    """One field of a Config, and what its comment says of it."""

    name: str
    # the annotation
    kind: str
    # as it is written
    default: str
    about: str


def nearest(name: str, known: Iterable[str], what: str) -> str:
    """A sentence for a name that does not exist."""
    known = list(known)
    close = difflib.get_close_matches(name, known, 1, 0.5)
    return f"there is no {what} {name!r}; " + (
        f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"
    )


@cache
def options_of(place: str) -> dict[str, Option]:
    """The fields of a dataclass. `place` is "folder/module:Class" below `motes/`; of a model or data set, whose
    class says `Config = ...`, the fields of that configuration."""
    module, _, name = place.partition(":")
    source = (ROOT / f"{module}.py").read_text()
    classes = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    body = classes[_config_name(classes[name])].body
    fields = [node for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]
    lines = source.splitlines()
    return {option.name: option for option in (_option(field, lines) for field in fields)}


def _config_name(cls: ast.ClassDef) -> str:
    """The class's configuration; a class without one is a configuration itself."""
    for node in cls.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "Config":
            return ast.unparse(node.value)
    return cls.name


def _option(field: ast.AnnAssign, lines: Sequence[str]) -> Option:
    default = ast.unparse(field.value) if field.value else ""
    return Option(
        ast.unparse(field.target), ast.unparse(field.annotation), default, _comment_above(field, lines)
    )


def _comment_above(field: ast.AnnAssign, lines: Sequence[str]) -> str:
    """The comment lines directly above a field, joined."""
    comment: list[str] = []
    for line in reversed(lines[: field.lineno - 1]):
        if not line.strip().startswith("# "):
            break
        comment.insert(0, line.strip().removeprefix("# "))
    return " ".join(comment)


def first_line(module: str) -> str:
    """What `motes/<module>.py` says it is for."""
    document = ast.get_docstring(ast.parse((ROOT / f"{module}.py").read_text())) or ""
    return " ".join(document.partition("\n\n")[0].split())


def read_options(tokens: Sequence[str], homes: dict[str, str]) -> dict[str, dict[str, Any]]:
    """`--home.name value ...` for each home ("model" -> "models/particles/dlp:DeepLatentParticles"), checked by name and kind."""
    told: dict[str, dict[str, Any]] = {home: {} for home in homes}
    rest = list(tokens)
    while rest:
        token = rest.pop(0)
        home, dot, name = token.removeprefix("--").partition(".")
        if not token.startswith("--") or not dot or home not in homes:
            raise UserError(
                nearest(
                    token,
                    [
                        "--data",
                        "--out",
                        "--steps",
                        "--max-minutes",
                        "--seed",
                        "--resume",
                        *(f"--{h}.OPTION" for h in homes),
                    ],
                    "option",
                )
            )
        if "=" in name:
            name, _, value = name.partition("=")
            rest.insert(0, value)
        values = []
        while rest and not rest[0].startswith("--"):
            values.append(rest.pop(0))
        known = options_of(homes[home])
        name = name.replace("-", "_")
        if name not in known:
            raise UserError(
                nearest(
                    f"--{home}.{name.replace('_', '-')}",
                    [f"--{home}.{one.replace('_', '-')}" for one in known],
                    "option",
                )
            )
        told[home][name] = _value(f"--{home}.{name.replace('_', '-')}", known[name].kind, values)
    return told


def _value(option: str, kind: str, values: list[str]) -> Any:
    if kind.startswith("tuple"):
        inner = "float" if "float" in kind else "int"
        parts = [part for value in values for part in value.replace(",", " ").split()]
        if not parts:
            raise UserError(f"{option} wants numbers, such as {option} 64 64")
        numbers = tuple(_value(option, inner, [part]) for part in parts)
        if "..." not in kind and len(numbers) != kind.count(",") + 1:
            raise UserError(f"{option} wants {kind.count(',') + 1} numbers, not {len(numbers)}")
        return numbers
    if kind == "bool" and not values:
        return True
    if len(values) != 1:
        raise UserError(
            f"{option} wants one value, not {len(values)}; a preset's name comes before the options"
        )
    text = values[0]
    if kind.startswith("Literal"):
        choices = ast.literal_eval(kind.removeprefix("Literal"))
        if text not in choices:
            raise UserError(nearest(text, choices, f"value of {option}"))
        return text
    if kind == "bool":
        if text.lower() not in ("true", "false", "yes", "no", "1", "0"):
            raise UserError(f"{option} is yes or no, not {text!r}")
        return text.lower() in ("true", "yes", "1")
    if kind in ("int", "float"):
        try:
            return int(text) if kind == "int" else float(text)
        except ValueError:
            raise UserError(
                f"{option} wants {'a whole number' if kind == 'int' else 'a number'}, not {text!r}"
            ) from None
    return text
