"""Imports optional packages, with an error that says how to install a missing one."""

from importlib import import_module
from typing import Any

from motes.errors import UserError


def optional(module: str, extra: str, need: str) -> Any:
    """The module of an optional package; if it is not installed, an error says how to install it.

    `extra` is what installs the package, as in `pip install 'motes[video]'`. `need` is the beginning of the
    error, such as "videos need PyAV".
    """
    try:
        return import_module(module)
    except ImportError:
        raise UserError(f"{need}; install it with: pip install 'motes[{extra}]'") from None
