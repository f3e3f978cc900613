"""Reads pictures one by one from files, folders and videos, at a model's size.

Files that cannot be read are skipped, and a sentence about each is kept.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from motes.data.files.folder import list_pictures
from motes.data.files.mask_pairs import pair
from motes.data.files.picture_files import load_picture, to_size
from motes.data.files.video import list_videos
from motes.data.files.video_file import ENDINGS, VideoFile, upright
from motes.errors import UserError
from motes.types.latents import Image


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
                if path.suffix.lower() in ENDINGS:
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
    """The paths of all files to read. A folder stands for its pictures or, if it has none, for its videos.

    Masks that lie beside pictures are left out.
    """
    paths: list[Path] = []
    for source in sources:
        if not source.exists():
            raise UserError(f"{source} does not exist")
        paths += _inside(source) if source.is_dir() else [source]
    return paths


def _inside(folder: Path) -> list[Path]:
    try:
        pictures = list_pictures(folder)
    except UserError as no_pictures:
        try:
            return list_videos(folder)
        except UserError:
            raise no_pictures from None
    return list(pair(pictures, folder)) or pictures
