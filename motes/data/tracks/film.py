"""`AnnotatedFilm`: the frames of one video, and the things in them with the numbers of their tracks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from motes.data.files.picture_files import read_picture
from motes.data.files.video_file import VideoFile, upright

# left, top, width, height in pixels of the frame; the edge of the first pixel is 0
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class AnnotatedThing:
    """A thing in one frame."""

    track: int
    box: Box
    category: int = 0
    # share of the thing that can be seen; 1 where nobody says
    visibility: float = 1.0
    # a mask as COCO stores it: polygons or run lengths
    segmentation: Any = None


@dataclass(frozen=True)
class AnnotatedFilm:
    """One video. Its frames are the files of `pictures` in their order, or all frames of a video file."""

    # what splits are made by: the path below the folder of the data
    name: str
    pictures: Sequence[Path] = ()
    video: Path | None = None
    # by the number of the frame, counted from 0
    annotations: Mapping[int, Sequence[AnnotatedThing]] = field(default_factory=dict)
    # frames a second, where it is known
    rate: float = 25.0
    categories: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.pictures) if self.video is None else len(self.opened)

    @cached_property
    def opened(self) -> VideoFile:
        assert self.video is not None
        return VideoFile(self.video)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the first frame; all frames should have its size."""
        if self.video is None:
            picture = read_picture(self.pictures[0])
        else:
            picture = upright(list(self.opened.read(0))[-1][1])
        return picture.height, picture.width
