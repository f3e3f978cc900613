"""Explanations of scores: one line for each name that `evaluate` returns."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from motes.evaluation import SCORES


def explanation(name: str) -> str:
    """The line that explains the score `name`; an empty text for a name that no question has.

    >>> explanation("psnr")
    'PSNR of the reconstruction, in decibels'
    """
    tables = [SCORES[question].explains for question in SCORES]
    return next((words for table in tables if (words := explanation_in(table, name))), "")


def explanation_in(table: Mapping[str, str], name: str) -> str:
    """The line of a table for a score: the line of its name, or of the first pattern that fits the name.

    In a pattern, * stands for any text.
    """
    if name in table:
        return table[name]
    return next((words for pattern, words in table.items() if fnmatchcase(name, pattern)), "")
