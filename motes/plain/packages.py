"""Packages that motes can do without: imported where they are needed, or a sentence that says how to get
them."""

from importlib import import_module
from typing import Any

from motes.errors import UserError


def optional(module: str, extra: str, need: str) -> Any:
    """The module of an optional package.

    `extra`: what installs it, as in `pip install 'motes[video]'`. `need`: the sentence's beginning, "videos
    need PyAV".
    """
    try:
        return import_module(module)
    except ImportError:
        raise UserError(f"{need}; install it with: pip install 'motes[{extra}]'") from None
