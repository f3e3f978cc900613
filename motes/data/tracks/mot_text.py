"""Tracks as text, in the format of the MOT challenge (https://motchallenge.net/instructions).

A line is a thing in a frame: frame, track, left, top, width, height, then in truth whether it counts, its
category and its visibility, in results a confidence and three numbers of no meaning. Frames and pixels are
counted from 1. Imports no torch.
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from motes.errors import UserError

if TYPE_CHECKING:
    from motes.data.tracks.film import AnnotatedThing


def read_mot(path: Path) -> "dict[int, list[AnnotatedThing]]":
    """The things of a file of truth or results, by the number of the frame, counted from 0.

    Lines that do not count are left out.
    """
    annotations: dict[int, list[AnnotatedThing]] = {}
    pairs: set[tuple[int, int]] = set()
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        values = _numbers(line, path, number)
        frame, track = int(values[0]), int(values[1])
        if (frame, track) in pairs:
            raise UserError(f"{path}, line {number}: track {track} is twice in frame {frame}")
        pairs.add((frame, track))
        annotation = _thing(values)
        if annotation is not None:
            annotations.setdefault(frame - 1, []).append(annotation)
    return annotations


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except UnicodeDecodeError:
        raise UserError(f"{path} is no text in the format of the MOT challenge") from None


def _numbers(line: str, path: Path, number: int) -> list[float]:
    try:
        values = [float(word) for word in line.replace(",", " ").split()]
    except ValueError:
        values = []
    is_whole = len(values) >= 6 and all(map(math.isfinite, values))
    if not is_whole or values[0] < 1 or values[0] % 1 or values[1] % 1:
        raise UserError(
            f"{path}, line {number}: {line.strip()!r} should be frame, track, left, top, width, height, ..., "
            "with frames counted from 1"
        )
    return values


def _thing(values: Sequence[float]) -> "AnnotatedThing | None":
    from motes.data.tracks.film import AnnotatedThing

    left, top, width, height = values[2:6]
    is_truth = len(values) in (8, 9) or (len(values) > 9 and values[7] >= 0)
    if is_truth and values[6] == 0:
        return None
    category = int(values[7]) if is_truth else 0
    visibility = values[8] if is_truth and len(values) > 8 and values[8] >= 0 else 1.0
    return AnnotatedThing(int(values[1]), (left - 1, top - 1, width, height), category, visibility)


def truth_lines(annotations: "Iterable[tuple[int, AnnotatedThing]]") -> Iterable[str]:
    """The lines of things with the numbers of their frames, counted from 0."""
    for frame, annotation in annotations:
        yield f"{_start(frame, annotation.track, annotation.box)},1,{annotation.category},{annotation.visibility:g}\n"


def result_line(frame: int, track: int, box: Sequence[float], confidence: float) -> str:
    """The line of a found thing; `frame` and the left and top of the box are counted from 0, `track` from 1."""
    return f"{_start(frame, track, box)},{confidence:.4g},-1,-1,-1\n"


def _start(frame: int, track: int, box: Sequence[float]) -> str:
    left, top, width, height = box
    return f"{frame + 1},{track},{left + 1:.2f},{top + 1:.2f},{width:.2f},{height:.2f}"
