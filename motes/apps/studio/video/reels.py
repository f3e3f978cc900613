"""`Reel`: a clip that a page may play; and which clip a name means."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pictures
from torch import Tensor

from motes.apps.session.footage import RATE, Footage
from motes.apps.session.foresight import Shot
from motes.apps.studio.copies import saved_copy
from motes.apps.studio.opened_run import OpenedRun
from motes.apps.studio.shelf import FileLook, Shelf
from motes.apps.studio.video.films import SentFilm
from motes.data.base import Dataset
from motes.data.numbered import split_name
from motes.errors import UserError

# pictures of a folder whose names differ in a number are a clip if there are so many of them
FEWEST = 8
# a picture is read no larger than this to learn its size
LARGEST_SIDE = 2**14


@dataclass(frozen=True, kw_only=True)
class Reel(Footage):
    """Footage whose frames are read by their numbers, wherever they lie."""

    read: Callable[[Sequence[int]], list[Pictures.Image]]
    # rows and columns of the film, of which places are told; its frames may be read smaller
    sides: Callable[[], tuple[int, int]]
    # what was done after each of some frames, where that is known
    actions: Callable[[Sequence[int]], Tensor | None] = lambda numbers: None
    # the Python expression for the shot that begins with a frame, of so many given frames and so many that follow
    python_shot: Callable[[int, int, int], str]
    # what has to be decoded elsewhere before some frames are read
    undecoded: Callable[[Sequence[int]], list[FileLook]] = lambda numbers: []

    @cached_property
    def size(self) -> tuple[int, int]:
        return self.sides()

    def frames(self) -> Iterator[Pictures.Image]:
        for number in range(len(self)):
            yield from self.read([number])

    def shot(self, first: int, given: int, steps: int) -> Shot:
        """The `given` frames from `first` on, and what was done in them and in the `steps` frames that follow."""
        numbers = range(len(self))[first : first + given + steps]
        return Shot(self.name, self.read(numbers[:given]), first, self.rate, self.actions(numbers))


def reel_of_data(name: str, run: OpenedRun, data: Dataset, first: int) -> Reel:
    """The clip of a run's held-out data whose first frame is the row `first`."""

    def python_shot(start: int, given: int, steps: int) -> str:
        data_set = f'{run.python_data}.open("validation")'
        return f"Shot.of_data({run.name!r}, {data_set}, {first // data.frames}, {start}, {given + steps})"

    def rows(numbers: Sequence[int]) -> list[int]:
        return [first + number for number in numbers]

    def read(numbers: Sequence[int]) -> list[Pictures.Image]:
        pixels = data.pixels(rows(numbers))
        return [Pictures.fromarray(frame.transpose(1, 2, 0).squeeze()) for frame in pixels]

    _, height, width = data.image_shape
    return Reel(
        path=Path(name),
        times=np.arange(data.frames) / RATE,
        read=read,
        sides=lambda: (height, width),
        actions=lambda numbers: data.actions(rows(numbers)),
        python_shot=python_shot,
    )


def reel_of_film(name: str, film: SentFilm) -> Reel:
    """A clip that a page sent."""
    shape = film.shape
    times = np.arange(shape.frames) / shape.rate

    def python_shot(start: int, given: int, steps: int) -> str:
        numbers = range(start, start + given)
        frames = zip(numbers, film.read(numbers), strict=True)
        copies = [saved_copy(f"{name}-{number}", frame) for number, frame in frames]
        return _shot_of_files(name, copies, start)

    return Reel(
        path=Path(name), times=times, read=film.read, sides=lambda: shape.sides, python_shot=python_shot
    )


def reel_of_files(shelf: Shelf, names: Sequence[str], run: OpenedRun) -> Reel:
    """Numbered pictures on the shelf, at the size of the run's model."""

    def sides() -> tuple[int, int]:
        picture = shelf.decoder.small(shelf.files[names[0]], LARGEST_SIDE)
        return picture.height, picture.width

    def undecoded(numbers: Sequence[int]) -> list[FileLook]:
        looks = [shelf.undecoded(names[number], run) for number in numbers]
        return [look for look in looks if look is not None]

    def python_shot(start: int, given: int, steps: int) -> str:
        files = [shelf.files[name].absolute() for name in names[start : start + given]]
        return _shot_of_files(names[0], files, start)

    return Reel(
        path=shelf.files[names[0]].parent,
        times=np.arange(len(names)) / RATE,
        read=partial(_read_files, shelf, names, run),
        sides=sides,
        undecoded=undecoded,
        python_shot=python_shot,
    )


def _shot_of_files(name: str, files: Sequence[Path], start: int) -> str:
    return f"Shot({name!r}, [read_picture(Path(file)) for file in {[str(file) for file in files]}], {start})"


def _read_files(
    shelf: Shelf, names: Sequence[str], run: OpenedRun, numbers: Sequence[int]
) -> list[Pictures.Image]:
    config = run.session.model.config
    looks = [shelf.look(names[number], config.image_size, config.channels) for number in numbers]
    pixels = [shelf.decoded(look) for look in looks]
    return [Pictures.fromarray(frame.transpose(1, 2, 0).squeeze()) for frame in pixels]


def numbered_clips(names: Sequence[str]) -> dict[str, list[str]]:
    """The clips among pictures of folders, by the name of the first frame: those whose names differ in a number."""
    clips: dict[tuple[Any, ...], list[tuple[int, str]]] = {}
    for name in names:
        path = Path(name)
        if parts := split_name(path.stem):
            before, number, behind = parts
            clips.setdefault((path.parent, before, behind, path.suffix), []).append((number, name))
    ordered = [[name for _, name in sorted(frames)] for frames in clips.values() if len(frames) >= FEWEST]
    return {frames[0]: frames for frames in ordered}


def held_out_clip(shelf: Shelf, name: str) -> Reel:
    """The clip of held-out frames in which the frame of this name lies."""
    run, row = shelf.of_run(name)
    data = run.held_out
    if not name.startswith("held-out/") or data is None or data.frames < 2 or row >= len(data):
        raise UserError(f"{name[:80]} is no frame of a clip")
    return reel_of_data(name, run, data, row - row % data.frames)
