"""`Films`: clips that pages sent, frame by frame, as their browsers read them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image as Pictures

from motes.errors import UserError
from motes.plain.cache import Cache

# bytes of the frames of one film, and of all films of all pages
OF_ONE = 96 * 2**20
OF_ALL = 4 * OF_ONE
# frames of a film, and pixels of a side of a frame, at most
FRAMES = 5000
SIDE = 512
# frames a second, at most
FASTEST = 240


@dataclass(frozen=True)
class FilmShape:
    """What a page says of a film before it sends any frame."""

    frames: int
    # of a frame as it is sent
    rows: int
    columns: int
    # frames a second
    rate: float
    # rows and columns of the film itself, of which places are told
    sides: tuple[int, int]

    @classmethod
    def read(cls, told: Mapping[str, str]) -> "FilmShape":
        """The shape that a page tells in an address; what cannot be is refused."""
        frames = _whole(told, "frames", 2, FRAMES)
        rows, columns = (_whole(told, name, 1, SIDE) for name in ("rows", "columns"))
        sides = _whole(told, "height", 1, 2**16), _whole(told, "width", 1, 2**16)
        shape = cls(frames, rows, columns, float(_whole(told, "rate", 1, FASTEST)), sides)
        if shape.nbytes > OF_ONE:
            raise UserError(f"this film has {frames} frames, too many for the studio; cut it")
        return shape

    @property
    def of_frame(self) -> int:
        """Bytes of a frame."""
        return self.rows * self.columns * 3

    @property
    def nbytes(self) -> int:
        return self.frames * self.of_frame


@dataclass(frozen=True)
class SentFilm:
    """The frames that have come so far, by their numbers: red, green and blue of each pixel."""

    shape: FilmShape
    frames: dict[int, bytes] = field(default_factory=dict)

    def missing(self, numbers: Sequence[int]) -> list[int]:
        return [number for number in numbers if number not in self.frames]

    def read(self, numbers: Sequence[int]) -> list[Pictures.Image]:
        if missing := self.missing(numbers):
            raise UserError(f"frame {missing[0] + 1} of this clip has not come yet; wait until it is read")
        size = (self.shape.rows, self.shape.columns, 3)
        pixels = (np.frombuffer(self.frames[number], np.uint8).reshape(size) for number in numbers)
        return [Pictures.fromarray(frame) for frame in pixels]


class Films:
    """The films of all pages. Those that were not used for longest are forgotten; their pages send them again."""

    def __init__(self) -> None:
        # page and film -> its frames
        self._films: Cache[tuple[str, str], SentFilm] = Cache(OF_ALL, lambda film: film.shape.nbytes)

    def take(self, page: str, told: Mapping[str, str], raw: bytes | bytearray) -> None:
        """Keep some neighbouring frames of a film of this page."""
        name = told.get("film", "")
        if not re.fullmatch(r"[0-9a-f]{1,32}", name):
            raise UserError("a film's name should be hexadecimal digits")
        shape = FilmShape.read(told)
        first = _whole(told, "first", 0, shape.frames - 1)
        count, rest = divmod(len(raw), shape.of_frame)
        if rest or not 0 < count <= shape.frames - first:
            raise UserError("these are no whole frames of the film")
        film = self._films.get((page, name))
        if film is None or film.shape != shape:
            film = self._films.put((page, name), SentFilm(shape))
        for number in range(count):
            start = number * shape.of_frame
            film.frames[first + number] = bytes(raw[start : start + shape.of_frame])

    def of(self, page: str, name: str) -> SentFilm | None:
        return self._films.get((page, name))


def _whole(told: Mapping[str, str], name: str, low: int, high: int) -> int:
    text = told.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 8 and low <= int(text) <= high):
        raise UserError(f"{name} of a film should be a whole number from {low} to {high}")
    return int(text)
