"""Groups pictures into clips, for models of clips. A clip is a run of neighbouring frames of one video."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from motes.models.base import WHOLE_CLIPS

# a file's path and its pixels, C H W
Picture = tuple[Path, np.ndarray]
# neighbouring frames of one video, or one picture
Clip = list[Picture]


def clip_length(window: int, most: int) -> int:
    """The number of frames in a clip for a model with this `window`.

    It is `most` if the model takes clips of any length.
    """
    if window == WHOLE_CLIPS:
        return most
    return max(window, 1)


def clips_of(pictures: Iterable[Picture], length: int) -> Iterator[Clip]:
    """Yields clips of `length` neighbouring frames of one video; the last clip of a video may be shorter.

    A picture that is no frame of a video is a clip of its own.
    """
    clip: Clip = []
    for picture in pictures:
        if clip and (len(clip) == length or not _follows(clip[-1][0], picture[0])):
            yield clip
            clip = []
        clip.append(picture)
    if clip:
        yield clip


def _follows(path: Path, following: Path) -> bool:
    """Whether the two paths are a frame of a video and the next frame of the same video.

    A frame's path is its number below the path of its video.
    """
    if path.parent != following.parent or not path.parent.is_file():
        return False
    return int(following.name) == int(path.name) + 1
