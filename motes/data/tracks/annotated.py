"""Clips of annotated videos, whatever format the annotations come in: pixels, splits and truth."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from motes.data.base import Dataset, Split
from motes.data.files.folder import DecodedFiles
from motes.data.files.picture_files import (
    check_looks,
    moved_edges,
    pixels_between,
    read_picture,
    to_size,
)
from motes.data.files.video_frames import VideoFrames
from motes.data.mask_encodings import filled, from_run_lengths
from motes.data.splits import block, check_held_out, clips, no_clip, split_files
from motes.data.tracks.film import AnnotatedFilm, AnnotatedThing
from motes.errors import UserError
from motes.types.truth import Truth


@dataclass(frozen=True)
class AnnotatedConfig:
    """Frames of annotated videos, brought to one size."""

    # the folder or file of the annotations
    path: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey, 3: colours
    channels: int = 3
    # fit: scale to cover, then cut the middle; stretch: scale both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # frames of a clip
    frames: int = 1
    # keep every n-th frame: 3 is every third
    skip: int = 1
    # kept frames from the first frame of a clip to that of the next clip; 0: clips share no frame
    stride: int = 0
    # share of the videos, or of the time where there are fewer than three, for validation, and again for the
    # test
    held_out: float = 0.1
    # kept frames left out between the splits of one video, at most a fifth of what is held out
    gap: int = 25


class AnnotatedFilms(Dataset):
    """Clips of videos with tracks. In a clip, number n is the same thing in all frames.

    All frames of a video go to one split. If there are only one or two videos, the end of each is held out.
    `factors` of the truth: "track", the number that the annotations give; "category"; "visibility".
    """

    def __init__(self, config: AnnotatedConfig, split: Split = "train"):
        _check(config)
        self.config = config
        self.split: Split = split
        films = self.films(Path(config.path))
        self._films = _of_split(films, config, split)
        # the film and the number of the frame of each row
        self._frames = np.concatenate(
            [self._rows_of(number, len(films)) for number in range(len(self._films))]
        )
        if not len(self._frames):
            raise no_clip(split, config.path, config.frames)
        self._tracks = self._tracks_of_clips()
        self._most = max([1, *map(len, self._tracks)])
        annotations = [
            annotation
            for film in self._films
            for of_frame in film.annotations.values()
            for annotation in of_frame
        ]
        # of all or none: no thing is taken for background
        self._masked = bool(annotations) and all(annotation.segmentation for annotation in annotations)
        self._open_pictures()

    @abstractmethod
    def films(self, path: Path) -> list[AnnotatedFilm]:
        """All videos that the annotations at this place are of."""

    def __len__(self) -> int:
        return len(self._frames)

    def place(self, row: int) -> tuple[AnnotatedFilm, int]:
        """The video of a row, and the number of the frame in it."""
        film, number = self._frames[row].tolist()
        return self._films[film], number

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        if self._decoded is not None:
            return self._decoded.pixels([self._file_of[row] for row in rows])
        return self._videos.pixels(rows)

    def truth(self, rows: Sequence[int]) -> Truth:
        arrays_of = [self._known(row) for row in rows]
        joined = {
            name: torch.from_numpy(np.stack([arrays[name] for arrays in arrays_of])) for name in arrays_of[0]
        }
        return Truth(
            present=joined["present"],
            centres=joined["centres"],
            boxes=joined["boxes"],
            masks=joined.get("masks"),
            factors={name: joined[name] for name in ("track", "category", "visibility")},
        )

    def _rows_of(self, film: int, films: int) -> np.ndarray:
        """The film and the number of the frame of each row in one film."""
        config = self.config
        numbers = np.arange(0, len(self._films[film]), config.skip)
        if films < 3:
            times = np.arange(len(numbers), dtype=np.float64)
            numbers = numbers[block(times, self.split, config.held_out, float(config.gap))]
        chosen = numbers[clips(len(numbers), config.frames, config.stride).reshape(-1)]
        return np.stack([np.full_like(chosen, film), chosen], 1)

    def _tracks_of_clips(self) -> list[dict[int, int]]:
        """For each clip, the number that each of its tracks has in it."""
        tracks = []
        for clip in self._frames.reshape(-1, self.config.frames, 2).tolist():
            numbers = {annotation.track for film, number in clip for annotation in self._things(film, number)}
            tracks.append({track: n for n, track in enumerate(sorted(numbers))})
        return tracks

    def _things(self, film: int, number: int) -> Sequence[AnnotatedThing]:
        return self._films[film].annotations.get(number, ())

    def _open_pictures(self) -> None:
        """Make ready to read the rows' pictures, which are all files or all frames of video files."""
        self._decoded: DecodedFiles | None = None
        in_video = {film.video is not None for film in self._films}
        if len(in_video) > 1:
            raise UserError(
                f"{self.config.path} has videos and folders of frames; give each a place of its own"
            )
        if True in in_video:
            self._videos = VideoFrames(self._frames, lambda film: self._films[film].opened, self._to_pixels)
            return
        paths = [self._films[film].pictures[number] for film, number in self._frames.tolist()]
        self._decoded = DecodedFiles(sorted(set(paths)), lambda path: self._to_pixels(read_picture(path)))
        number_of = {path: number for number, path in enumerate(self._decoded.files)}
        if missing := [path for path in paths if path not in number_of]:
            raise UserError(f"{missing[0]} cannot be read; the annotations need all {len(paths)} frames")
        self._file_of = [number_of[path] for path in paths]

    def _to_pixels(self, picture: Image.Image, film: int = 0) -> np.ndarray:
        return to_size(picture, self.config.image_size, self.config.channels, self.config.fit)

    def _known(self, row: int) -> dict[str, np.ndarray]:
        """What is known of one row, by name: arrays that begin with the axis of N things."""
        film, number = self._frames[row].tolist()
        number_of = self._tracks[row // self.config.frames]
        arrays = {
            "present": np.zeros(self._most, bool),
            "centres": np.zeros((self._most, 2), np.float32),
            "boxes": np.zeros((self._most, 4), np.float32),
            "track": np.full(self._most, -1, np.int64),
            "category": np.full(self._most, -1, np.int64),
            "visibility": np.zeros(self._most, np.float32),
        }
        for annotation in self._things(film, number):
            self._fill(arrays, number_of[annotation.track], annotation, self._films[film].size)
        if self._masked:
            arrays["masks"] = self._masks(film, number, number_of)
        return arrays

    def _fill(
        self, arrays: dict[str, np.ndarray], n: int, thing: AnnotatedThing, film_size: tuple[int, int]
    ) -> None:
        size = self.config.image_size
        first, last = moved_edges(thing.box, film_size, size, self.config.fit)
        box = pixels_between(first, last, size)
        present = bool(box[0] <= box[2] and box[1] <= box[3] and thing.visibility > 0)
        arrays["centres"][n] = ((first + last - 1) / 2) / np.maximum(np.array(size) - 1, 1) * 2 - 1
        arrays["present"][n] = present
        arrays["boxes"][n] = box if present else 0
        arrays["track"][n] = thing.track
        arrays["category"][n] = thing.category
        arrays["visibility"][n] = thing.visibility

    def _masks(self, film: int, number: int, number_of: dict[int, int]) -> np.ndarray:
        """The visible masks of one frame, bool, N H W; where they overlap, the smaller thing is in front."""
        annotations = sorted(self._things(film, number), key=lambda thing: -thing.box[2] * thing.box[3])
        numbers = np.zeros(self.config.image_size, np.int32)
        for thing in annotations:
            numbers[self._mask(film, thing)] = number_of[thing.track] + 1
        return numbers[None] == np.arange(1, self._most + 1)[:, None, None]

    def _mask(self, film: int, thing: AnnotatedThing) -> np.ndarray:
        height, width = self._films[film].size
        if isinstance(thing.segmentation, dict):
            pixels = from_run_lengths(thing.segmentation, Path(self.config.path))
        else:
            pixels = filled(thing.segmentation, height, width)
        return to_size(Image.fromarray(pixels), self.config.image_size, 1, self.config.fit)[0] > 127


def _of_split(films: list[AnnotatedFilm], config: AnnotatedConfig, split: Split) -> list[AnnotatedFilm]:
    root = Path(config.path)
    film_at = {root / film.name: film for film in films}
    if len(films) < 3:
        return films
    return [film_at[path] for path in split_files(list(film_at), root, config.held_out, split)]


def _check(config: AnnotatedConfig) -> None:
    check_looks(config.image_size, config.channels, config.fit)
    check_held_out(config.held_out)
    if not config.path or not Path(config.path).exists():
        raise UserError(f"annotated videos need the place of their annotations, and {config.path!r} is none")
    for name, least in (("frames", 1), ("skip", 1), ("stride", 0), ("gap", 0)):
        if getattr(config, name) < least:
            raise UserError(f"{name} must be at least {least}, not {getattr(config, name)}")
