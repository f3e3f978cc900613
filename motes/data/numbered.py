"""Numbers in the names of files, and whether numbered pictures are a film. Imports no torch."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from PIL import Image

# words, the last number, words
_NUMBERED = re.compile(r"^(.*?)(\d+)(\D*)$")
# a film has at least so many frames
FEWEST_FRAMES = 30
# share of the steps from number to number that are alike
EVEN_STEPS = 0.9
# frames that are compared with others, as grey pictures of so many pixels a side
PLACES = 24
THUMBNAIL = 16
# in a film the difference between neighbours is at most this share of that between frames far apart
NEIGHBOURS_DIFFER = 0.6


def split_name(stem: str) -> tuple[str, int, str] | None:
    """The words before the last number in a file's name, the number, and the words behind it."""
    parts = _NUMBERED.match(stem)
    return None if parts is None else (parts[1], int(parts[2]), parts[3])


def is_film(pictures: Sequence[Path]) -> bool:
    """Whether these pictures are the frames of one film.

    They lie in one folder, their names differ in a number that counts evenly, they have one size, and
    neighbours are much more alike than pictures far apart. Sets of single pictures are often numbered too.
    """
    if len(pictures) < FEWEST_FRAMES:
        return False
    frames = _by_number(pictures)
    return frames is not None and _are_like_neighbours(frames)


def _by_number(pictures: Sequence[Path]) -> list[Path] | None:
    """The pictures in the order of their numbers; None if there are several kinds or the steps are uneven."""
    numbers: dict[int, Path] = {}
    kinds: set[tuple[Path, str, str, str]] = set()
    for path in pictures:
        parts = split_name(path.stem)
        if parts is None:
            return None
        before, number, behind = parts
        kinds.add((path.parent, before, behind, path.suffix))
        numbers[number] = path
    if len(kinds) > 1 or len(numbers) < len(pictures):
        return None
    order = sorted(numbers)
    steps = Counter(second - first for first, second in pairwise(order))
    is_even = steps.most_common(1)[0][1] >= EVEN_STEPS * (len(order) - 1)
    return [numbers[number] for number in order] if is_even else None


def _are_like_neighbours(frames: Sequence[Path]) -> bool:
    """Whether frames differ less from those before and after them than from one half of all frames away."""
    near = far = 0
    sizes: set[tuple[int, int]] = set()
    for place in range(PLACES):
        number = 1 + place * (len(frames) - 2) // PLACES
        rows = (number, number - 1, number + 1, (number + len(frames) // 2) % len(frames))
        try:
            looks = [_thumbnail(frames[row], sizes) for row in rows]
        except OSError:
            return False
        # of the two, or pairs of pictures would pass for films
        near += max(_difference(looks[0], looks[1]), _difference(looks[0], looks[2]))
        far += _difference(looks[0], looks[3])
    return len(sizes) == 1 and near <= NEIGHBOURS_DIFFER * far and far > 0


def _thumbnail(path: Path, sizes: set[tuple[int, int]]) -> bytes:
    """The picture, grey and small; its size is added to `sizes`."""
    with Image.open(path) as picture:
        sizes.add(picture.size)
        # a JPEG may be decoded small at once
        picture.draft("L", (THUMBNAIL * 4, THUMBNAIL * 4))
        return picture.convert("L").resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX).tobytes()


def _difference(first: bytes, second: bytes) -> int:
    return sum(abs(a - b) for a, b in zip(first, second, strict=True))
