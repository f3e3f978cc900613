"""`FilmTracks`: the things in a clip, followed piece by piece while the studio answers others."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from motes.apps.session.following import Followed, Reading
from motes.apps.session.session import Session
from motes.apps.session.track_files import TrackFiles
from motes.apps.studio.shelf import FileLook
from motes.apps.studio.video.reels import Reel
from motes.data.files.picture_files import moved
from motes.errors import UserError

# frames that are encoded at once: so long others wait
PIECE = 4


class FilmTracks:
    """The tracks of one clip. `step` reads on; what is there so far may be asked for meanwhile."""

    def __init__(self, session: Session, reel: Reel):
        self.reel = reel
        self.followed: list[Followed] = []
        self.finished = False
        # why it came to no end, in a sentence
        self.problem = ""
        self._size: tuple[int, int] = tuple(session.model.config.image_size)
        self._pieces = session.follow(reel, Reading(piece=PIECE))

    @property
    def done(self) -> int:
        """The frames whose tracks are there."""
        last = self.followed[-1] if self.followed else None
        return 0 if last is None else last.first + last.clip.frames

    @property
    def nbytes(self) -> int:
        parts = [followed.clip.particles.tensors() for followed in self.followed]
        return sum(value.nbytes for part in parts for value in part.values())

    def undecoded(self) -> list[FileLook]:
        """What has to be decoded before the next step."""
        # the newest frames wait to be handed out
        return self.reel.undecoded(range(len(self.reel))[self.done : self.done + 6 * PIECE])

    def step(self) -> None:
        """Follow the things through some more frames."""
        try:
            with torch.no_grad():
                followed = next(self._pieces, None)
        except UserError as problem:
            self.problem = str(problem)
            followed = None
        # a fault of ours: it is reported, and the page is told
        except Exception as problem:
            kind = type(problem).__name__
            print(f"motes studio: follow: {kind}: {problem}", file=sys.stderr)
            self.problem = f"the things of this clip could not be followed ({kind})"
            followed = None
        if followed is None:
            self.finished = True
        else:
            self.followed.append(followed)

    def facts(self, after: int) -> dict[str, Any]:
        """What a page is told: how far it is, and the things in the frames from `after` on."""
        frames = [things for followed in self.followed for things in self._frames(followed, after)]
        return {
            "frames": len(self.reel),
            "done": self.done,
            "finished": self.finished,
            "problem_of_tracks": self.problem,
            "after": after,
            "things": frames,
        }

    def _frames(self, followed: Followed, after: int) -> list[list[list[int | float]]]:
        """For each frame from `after` on its things: number, row and column in the model's picture, whether seen."""
        numbers = range(followed.first, followed.first + followed.clip.frames)
        if numbers.stop <= after:
            return []
        points = picture_points(followed.places, self.reel.size, self._size)
        track, seen = followed.clip.track.tolist(), followed.clip.seen.tolist()
        return [
            [
                [number, *points[frame, slot].tolist(), int(seen[frame][slot])]
                for slot, number in enumerate(track[frame])
                if number >= 0
            ]
            for frame, name in enumerate(numbers)
            if name >= after
        ]

    def files(self) -> dict[str, str]:
        """The tracks as the text of a table, and in the format of the MOT challenge."""
        with TemporaryDirectory() as folder:
            out = Path(folder)
            with TrackFiles(out, self.reel) as files:
                for followed in self.followed:
                    files.add(followed)
            return {"csv": (out / "tracks.csv").read_text(), "mot": (out / "mot.txt").read_text()}


def picture_points(
    places: np.ndarray, film: tuple[int, int], size: tuple[int, int], fit: str = "fit"
) -> np.ndarray:
    """Places in pixels of a film, in pixels of the model's picture, where 0 is the edge and not the middle of a pixel."""
    positions = moved(places, film, (0, 0, 0, 0), size, fit).astype(np.float64)
    return ((positions + 1) / 2 * (np.array(size) - 1) + 0.5).round(2)
