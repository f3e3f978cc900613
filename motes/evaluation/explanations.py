"""Explanations of scores: one line for each name that `evaluate` returns, and scores in groups for tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from motes.evaluation import SCORES
from motes.evaluation.intervals import Score


@dataclass(frozen=True)
class Line:
    """One line of a table of scores."""

    name: str
    score: Score
    # the same score of a trivial rival (chance, a median picture), where there is one
    rival: Score | None
    explanation: str


@dataclass(frozen=True)
class Group:
    """The lines of one question."""

    question: str
    about: str
    lines: tuple[Line, ...]


def grouped(scores: Mapping[str, Score]) -> list[Group]:
    """The scores by question, each with its rival beside it; a rival has no line of its own then."""
    groups = []
    left = dict(scores)
    for question in SCORES:
        names = [name for name in left if explanation_in(SCORES[question].explains, name)]
        if names:
            of_question = {name: left.pop(name) for name in names}
            groups.append(Group(question, SCORES.row(question).about, _lines(question, of_question)))
    remaining = tuple(Line(name, score, None, "") for name, score in left.items())
    return [*groups, Group("others", "", remaining)] if remaining else groups


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


def scored_pictures(scores: Mapping[str, Score]) -> int:
    """How many pictures the scores are of."""
    return max((score.pictures for score in scores.values()), default=0)


def _lines(question: str, scores: Mapping[str, Score]) -> tuple[Line, ...]:
    beside = {name: rival for name, rival in SCORES[question].rivals.items() if name in scores}
    shown = [name for name in scores if name not in beside.values()]
    explains = SCORES[question].explains
    return tuple(
        Line(name, scores[name], scores.get(beside.get(name, "")), explanation_in(explains, name))
        for name in shown
    )
