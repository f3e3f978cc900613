"""Parts: the pieces into which many pictures are divided. Each becomes one file, named after what is in it."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path

from motes.apps.bulk.part_reader import open_film
from motes.apps.session.picture_reader import expand_names, is_video
from motes.data.files.video_file import import_av
from motes.errors import UserError

# the names of all part files
PATTERN = "part-*.parquet"


@dataclass(frozen=True)
class BulkPart:
    """Some picture files, or neighbouring frames of one video."""

    files: tuple[str, ...]
    # the first frame and the one after the last; None: the files are pictures
    frames: tuple[int, int] | None = None

    def __len__(self) -> int:
        """The number of pictures; a video that cannot be read counts as one."""
        if self.frames is None:
            return len(self.files)
        return max(self.frames[1] - self.frames[0], 1)

    def __str__(self) -> str:
        if self.frames is not None:
            return f"{self.files[0]}, frames {self.frames[0]} to {self.frames[1] - 1}"
        if len(self.files) == 1:
            return self.files[0]
        return f"{self.files[0]} and {len(self.files) - 1} more"

    def file_name(self, identity: str) -> str:
        """The name of the part's file. `identity` is all that decides what is encoded from these pictures."""
        content = json.dumps([identity, self.files, self.frames])
        return f"part-{hashlib.sha256(content.encode()).hexdigest()[:24]}.parquet"

    def halves(self, clip: int) -> tuple["BulkPart", ...]:
        """Two parts with a half of the pictures each; none where there is one picture, or one clip of frames."""
        if self.frames is None:
            middle = len(self.files) // 2
            return (BulkPart(self.files[:middle]), BulkPart(self.files[middle:])) if middle else ()
        first, end = self.frames
        middle = first + (end - first) // 2 // clip * clip
        if middle == first:
            return ()
        return replace(self, frames=(first, middle)), replace(self, frames=(middle, end))


def parts_of(sources: Sequence[Path], size: int, clip: int) -> Iterator[BulkPart]:
    """Divide the pictures of files, folders and videos into parts of at most `size` pictures.

    A part of a video holds whole clips of `clip` frames, but for its last. A file that is named twice is taken once.
    """
    # of folders that are absolute, so are the names
    folders = [source.absolute() for source in sources]
    names = dict.fromkeys(map(_absolute, expand_names(folders)))
    for are_videos, group in groupby(names, is_video):
        if are_videos:
            import_av()
            for name in group:
                yield from _parts_of_video(name, size, clip)
            continue
        while files := tuple(islice(group, size)):
            yield BulkPart(files)


def _absolute(name: str) -> str:
    return name if name.startswith(os.sep) else str(Path(name).absolute())


def _parts_of_video(name: str, size: int, clip: int) -> Iterable[BulkPart]:
    step = max(size // clip, 1) * clip
    try:
        count = len(open_film(name))
    except UserError:
        # whoever encodes this part says why
        return [BulkPart((name,), (0, 0))]
    return [BulkPart((name,), (first, min(first + step, count))) for first in range(0, count, step)]
