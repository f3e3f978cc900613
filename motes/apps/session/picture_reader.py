"""Reads pictures one by one from files, folders and videos, at a model's size.

Files that cannot be read are skipped, and a sentence about each is kept.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from motes.data.files.folder import pictures_below
from motes.data.files.mask_pairs import has_mask, pair
from motes.data.files.picture_files import load_picture, to_size
from motes.data.files.video import list_videos
from motes.data.files.video_file import ENDINGS, VideoFile, upright
from motes.errors import UserError
from motes.types.latents import Image

# the ending of a file that names files
LIST = ".txt"


@dataclass
class Reader:
    """A function that takes files, folders and videos, and yields their pictures with their paths.

    A frame's path is its number below the path of its video: clip.mp4/000012.
    """

    size: tuple[int, int]
    channels: int
    fit: str = "fit"
    # sentences about what could not be read
    skipped: list[str] = field(default_factory=list)
    # path of a video -> its frames per second
    rates: dict[Path, float] = field(default_factory=dict)

    def __call__(self, sources: Sequence[Path]) -> Iterator[tuple[Path, np.ndarray]]:
        for path in expand(sources):
            try:
                if is_video(path):
                    yield from self._frames(path)
                else:
                    yield path, load_picture(path, self.size, self.channels, self.fit)
            except UserError as problem:
                self.skipped.append(str(problem))

    def _frames(self, path: Path) -> Iterator[tuple[Path, np.ndarray]]:
        film = VideoFile(path)
        try:
            if film.problem:
                self.skipped.append(film.problem)
            span = float(film.times[-1])
            self.rates[path] = (len(film) - 1) / span if span > 0 else 25.0
            for number in range(len(film)):
                # the frames before it are decoded on the way
                _, frame = list(film.read(number))[-1]
                yield path / f"{number:06d}", to_size(upright(frame), self.size, self.channels, self.fit)
        finally:
            film.close()


def image_of_pixels(pixels: np.ndarray, device: torch.device) -> Image:
    """Pictures of bytes as the tensor that a model on this device takes."""
    return torch.from_numpy(pixels).to(device).float().div_(255)


def expand(sources: Sequence[Path]) -> list[Path]:
    """The paths of all files to read, see `expand_names`."""
    return [Path(name) for name in expand_names(sources)]


def expand_names(sources: Sequence[Path]) -> list[str]:
    """The names of all files to read. A million of them take a third of the memory of paths.

    A folder stands for its pictures or, if it has none, for its videos. A text file (.txt) stands for the files
    that it names, one in each line. Masks that lie beside pictures are left out.
    """
    names: list[str] = []
    for source in sources:
        if not source.exists():
            raise UserError(f"{source} does not exist")
        if source.is_dir():
            names += _inside(source)
        else:
            names += _lines(source) if source.suffix.lower() == LIST else [str(source)]
    return names


def is_video(name: str | Path) -> bool:
    """Whether a file is a video by the ending of its name."""
    return Path(name).suffix.lower() in ENDINGS


def count_pictures(names: Iterable[str]) -> int:
    """The number of pictures in files, with all frames of videos; a file that cannot be opened counts as one."""
    return sum(_count_frames(name) if is_video(name) else 1 for name in names)


def _count_frames(video: str) -> int:
    try:
        film = VideoFile(Path(video))
    except UserError:
        return 1
    film.close()
    return len(film)


def _inside(folder: Path) -> list[str]:
    # in the order of paths: a folder's files come before those of a folder whose name goes on from its name
    pictures = sorted(map(str, pictures_below(folder)), key=lambda name: name.replace(os.sep, "\0"))
    if not pictures:
        return _videos_inside(folder)
    if not has_mask(pictures, folder):
        return pictures
    return [str(path) for path in pair(map(Path, pictures), folder)] or pictures


def _videos_inside(folder: Path) -> list[str]:
    try:
        return [str(path) for path in list_videos(folder)]
    except UserError:
        raise UserError(f"there is no picture in {folder}, nor below it") from None


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        raise UserError(f"{path} is no text that can be read; it should name a file in each line") from None
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise UserError(f"{path} is empty; it should name a file in each line")
    return names
