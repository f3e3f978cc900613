"""Checks whether a value fits a field of a config, the same for values from JSON and from a command line.

A kind is the type of a field: int, float, bool, str, a tuple of kinds, or a Literal. Needs no torch.
"""

import ast
from collections.abc import Callable, Sequence
from types import EllipsisType, GenericAlias
from typing import Any, Literal, get_args, get_origin

YES_AND_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Unfit(ValueError):
    """Raised for a value that does not fit a field.

    `wanted` says what fits; `choices` lists the values that fit, if there is such a list.
    """

    def __init__(self, value: Any, wanted: str, choices: tuple[Any, ...] = ()):
        super().__init__(f"{value!r} should be {wanted}")
        self.value = value
        self.wanted = wanted
        self.choices = choices


def fit(value: Any, kind: Any) -> Any:
    """The value in the type of a field of this kind; raises `Unfit` if it does not fit.

    Lists become tuples and whole numbers become floats where needed, because JSON has no tuples and may write
    1.0 as 1; nothing else is converted. Values for kinds not listed above are returned unchecked.
    """
    decide = _DECISIONS.get(get_origin(kind) or kind)
    return value if decide is None else decide(value, kind)


def _real_number(value: Any, kind: Any) -> float:
    if type(value) not in (int, float):
        raise Unfit(value, "a number")
    return float(value)


def _whole_number(value: Any, kind: Any) -> int:
    # True is no number here
    if type(value) is not int:
        raise Unfit(value, "a whole number")
    return value


def _yes_or_no(value: Any, kind: Any) -> bool:
    if type(value) is not bool:
        raise Unfit(value, "yes or no")
    return value


def _text(value: Any, kind: Any) -> str:
    if type(value) is not str:
        raise Unfit(value, "text")
    return value


def _choice(value: Any, kind: Any) -> Any:
    choices = get_args(kind)
    if value not in choices:
        raise Unfit(value, f"one of {', '.join(map(str, choices))}", choices)
    return value


def _row(value: Any, kind: Any) -> tuple[Any, ...]:
    kinds = get_args(kind)
    any_length = kinds[-1] is Ellipsis
    if not isinstance(value, list | tuple) or (len(value) != len(kinds) and not any_length):
        raise Unfit(value, "numbers" if any_length else f"{len(kinds)} numbers")
    if any_length:
        kinds = kinds[:1] * len(value)
    return tuple(fit(element, kind) for element, kind in zip(value, kinds, strict=True))


_DECISIONS: dict[Any, Callable[[Any, Any], Any]] = {
    int: _whole_number,
    float: _real_number,
    bool: _yes_or_no,
    str: _text,
    tuple: _row,
    Literal: _choice,
}


def spelled(words: Sequence[str], kind: Any) -> Any:
    """The words of a command line, converted to a value of this kind as far as possible.

    `fit` then decides whether the field may hold the value.
    """
    if get_origin(kind) is tuple:
        element = get_args(kind)[0]
        return [_spelled(part, element) for word in words for part in word.replace(",", " ").split()]
    return _spelled(words[0], kind)


def _spelled(word: str, kind: Any) -> Any:
    if kind is bool:
        return YES_AND_NO.get(word.lower(), word)
    if kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            return word
    return word


def kind_in_source(annotation: str) -> Any:
    """The kind that an annotation in source code names; Any if it names none of the kinds above.

    The annotation is parsed and not run.
    """
    return _read(ast.parse(annotation, mode="eval").body)


def _read(node: ast.expr) -> Any:
    match node:
        case ast.Name(id="int" | "float" | "bool" | "str" as name):
            return {"int": int, "float": float, "bool": bool, "str": str}[name]
        case ast.Constant(value=EllipsisType()):
            return Ellipsis
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=elements)):
            return GenericAlias(tuple, tuple(_read(element) for element in elements))
        case ast.Subscript(value=ast.Name(id="Literal"), slice=choices):
            return Literal[ast.literal_eval(choices)]  # pyright: ignore[reportInvalidTypeForm]
        case _:
            return Any
