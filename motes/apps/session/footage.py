"""`Footage`: a video file, or pictures with numbers, as frames in the order of time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image as Pictures

from motes.data.files.folder import list_pictures
from motes.data.files.picture_files import read_picture
from motes.data.files.sequences import find_sequences
from motes.data.files.video import list_videos
from motes.data.files.video_file import ENDINGS, VideoFile, upright
from motes.errors import UserError

# frames a second of pictures with numbers, which do not say it
RATE = 25.0
# the folder of the frames of a sequence of the MOT challenge
FRAMES_OF_MOT = "img1"


@dataclass(frozen=True)
class Footage:
    """The frames of one film. They are read one by one, so that a long film needs no more memory."""

    # the video file, or the folder of the pictures
    path: Path
    # of each frame, in seconds
    times: np.ndarray
    # in the order of time; none: the frames of a video file
    pictures: Sequence[Path] = ()
    # what is wrong with a video of which only a part can be read
    problem: str = ""
    # the number of its first frame in a video file that has more before it
    first: int = 0

    def __len__(self) -> int:
        return len(self.times)

    @property
    def name(self) -> str:
        """What the film is called: its file or folder, or the folder around one of the MOT challenge."""
        folder = self.path.parent if self.path.name == FRAMES_OF_MOT else self.path
        return folder.stem

    @property
    def rate(self) -> float:
        """Frames a second."""
        span = float(self.times[-1]) if len(self.times) else 0.0
        return (len(self.times) - 1) / span if span > 0 else RATE

    @cached_property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the first frame, as the camera was held."""
        first = next(self.frames())
        return first.height, first.width

    def frames(self) -> Iterator[Pictures.Image]:
        """Yields all frames, upright."""
        if self.pictures:
            yield from map(read_picture, self.pictures)
            return
        film = VideoFile(self.path)
        try:
            for number in range(len(self)):
                # the frames before it are decoded on the way
                yield upright(list(film.read(self.first + number))[-1][1])
        finally:
            film.close()


def sides_of(path: Path) -> tuple[int, int]:
    """Rows and columns of a picture, or of the frames of a video, upright."""
    if path.suffix.lower() in ENDINGS:
        return _of_video(path).size
    picture = read_picture(path)
    return picture.height, picture.width


def footage_of(source: Path) -> list[Footage]:
    """The films at a place: a video file, a folder of pictures with numbers, or a folder of videos.

    A film of fewer than two frames is refused: nothing in it moves.
    """
    if not source.exists():
        raise UserError(f"{source} does not exist")
    films = _in_folder(source) if source.is_dir() else [_of_video(source)]
    for film in films:
        if len(film) < 2:
            raise UserError(f"{film.path} has a single frame; to follow things takes two or more")
    return films


def single_footage(source: Path) -> Footage:
    """The film at a place that has one and no more."""
    film, *other_films = footage_of(source)
    if other_films:
        raise UserError(f"{source} has {1 + len(other_films)} films; name one of them, such as {film.path}")
    return film


def _of_video(path: Path) -> Footage:
    if path.suffix.lower() not in ENDINGS:
        raise UserError(
            f"{path} is no video by its name; name a video file, or a folder of pictures with numbers"
        )
    film = VideoFile(path)
    film.close()
    return Footage(path, film.times, problem=film.problem)


def _in_folder(folder: Path) -> list[Footage]:
    try:
        pictures = list_pictures(folder)
    except UserError:
        return [_of_video(path) for path in list_videos(folder)]
    return [_of_pictures(numbered) for numbered in find_sequences(pictures, folder).values()]


def _of_pictures(numbered: dict[int, Path]) -> Footage:
    numbers = np.array(list(numbered), np.float64)
    paths = list(numbered.values())
    return Footage(paths[0].parent, (numbers - numbers[0]) / RATE, paths)
