"""What a model finds in films and pictures, in pixels of their frames, to be written in another tool's format."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pictures

from motes.apps.session.following import Reading
from motes.apps.session.footage import Footage, footage_of, sides_of
from motes.apps.session.picture_reader import expand
from motes.apps.session.session import Encoded, Session
from motes.data.files.lerobot import read_episodes
from motes.data.files.picture_files import moved_back
from motes.data.files.video_file import ENDINGS
from motes.data.numbered import is_film
from motes.data.recognise import is_lerobot
from motes.errors import UserError
from motes.models.middles import middle_pixels
from motes.types.latents import Particles


@dataclass(frozen=True)
class Found:
    """A thing in one frame."""

    # of its track in a film, of the model's particle in a single picture
    number: int
    # of several things in a frame; a slot may be used again after a track has ended
    slot: int
    # x, y of the middle of what is visible, where i is the middle of pixel i
    place: tuple[float, float]
    # left, top, width, height; the edge of the first pixel is 0
    box: tuple[float, float, float, float]
    certainty: float


@dataclass(frozen=True)
class FoundFilm:
    """The frames of a film, or single pictures, and the things in each."""

    footage: Footage
    things: Sequence[Sequence[Found]]
    # rows and columns of each frame
    sizes: Sequence[tuple[int, int]]
    # whether a number is the same thing in all frames
    followed: bool = True

    @property
    def numbers(self) -> list[int]:
        """The numbers of all things, in order."""
        return sorted({thing.number for of_frame in self.things for thing in of_frame})

    def name_of(self, frame: int) -> str:
        """The path of a frame: its file, or its number below the path of its video."""
        footage = self.footage
        if footage.pictures:
            return footage.pictures[frame].as_posix()
        return (footage.path / f"{footage.first + frame:06d}").as_posix()

    def frames(self) -> Iterator[Pictures.Image]:
        return self.footage.frames()


def find(session: Session, sources: Sequence[Path], fit: str = "fit") -> list[FoundFilm]:
    """Follow the things in films, and find those in single pictures.

    Films are video files, folders of them, folders of numbered pictures that are alike as frames are, and the
    episodes of a LeRobot data set. All single pictures together are one `FoundFilm`, without tracks.
    """
    films: list[Footage] = []
    pictures: list[Path] = []
    for source in sources:
        if source.is_dir() and is_lerobot(source):
            films += _episodes(source)
        elif _holds_films(source):
            films += footage_of(source)
        else:
            pictures += expand([source])
    found = [_followed(session, film, fit) for film in films]
    return found + ([_pictured(session, pictures, fit)] if pictures else [])


def _holds_films(source: Path) -> bool:
    if not source.is_dir():
        return source.suffix.lower() in ENDINGS
    files = expand([source])
    return files[0].suffix.lower() in ENDINGS or is_film(files)


def _episodes(root: Path) -> list[Footage]:
    rate, _, episodes = read_episodes(root)
    return [
        Footage(episode.video, np.arange(episode.length) / rate, first=round(episode.since * rate))
        for episode in episodes
    ]


def _followed(session: Session, footage: Footage, fit: str) -> FoundFilm:
    things: list[list[Found]] = [[] for _ in range(len(footage))]
    for followed in session.follow(footage, Reading(fit)):
        clip = followed.clip
        particles = clip.particles
        certainty = particles.presence if particles.certainty is None else particles.certainty
        for frame, slot in clip.seen.nonzero().tolist():
            things[followed.first + frame].append(
                Found(
                    int(clip.track[frame, slot]),
                    slot,
                    _point(followed.places[frame, slot]),
                    _box(followed.boxes[frame, slot]),
                    certainty[frame, slot].item(),
                )
            )
    return FoundFilm(footage, things, [footage.size] * len(footage))


def _pictured(session: Session, pictures: Sequence[Path], fit: str) -> FoundFilm:
    things: dict[Path, list[Found]] = defaultdict(list)
    sizes: dict[Path, tuple[int, int]] = {}
    for encoded in session.encode_files(pictures, fit=fit):
        if not isinstance(encoded.latent, Particles):
            raise UserError(
                f"this model describes pictures as {type(encoded.latent).__name__}; only particles have places "
                "to export"
            )
        for number, path in enumerate(encoded.paths):
            sizes[path] = sides_of(path)
            things[path] = list(_found(session, encoded, number, sizes[path], fit))
    footage = Footage(Path(), np.arange(len(sizes)), list(sizes))
    return FoundFilm(footage, list(things.values()), list(sizes.values()), followed=False)


def _found(
    session: Session, encoded: Encoded, picture: int, film: tuple[int, int], fit: str
) -> Iterator[Found]:
    """The things in one of the encoded pictures, whose file has the rows and columns `film`."""
    size = (session.model.config.image_size[0], session.model.config.image_size[1])
    latent = encoded.latent[picture : picture + 1]
    places = moved_back(middle_pixels(session.model, latent, size)[0].cpu().numpy(), film, size, fit)
    visible = session.boxes(latent)
    corners = np.stack([places, places], 1) + 0.5
    if visible is not None:
        # corners lie on the edges of pixels, half a pixel before their middles
        corners = moved_back(visible.box[0].cpu().unflatten(-1, (2, 2)).numpy() - 0.5, film, size, fit) + 0.5
    certainty = latent.presence if latent.certainty is None else latent.certainty
    is_visible = latent.believed if visible is None else latent.believed & visible.visible
    for particle in is_visible[0].nonzero()[:, 0].tolist():
        yield Found(
            particle,
            particle,
            _point(places[particle]),
            _box(corners[particle].flatten()),
            certainty[0, particle].item(),
        )


def _point(place: np.ndarray) -> tuple[float, float]:
    row, column = place.tolist()
    return column, row


def _box(box: np.ndarray) -> tuple[float, float, float, float]:
    top, left, bottom, right = box.tolist()
    return left, top, right - left, bottom - top
