"""CLEVRER: videos of things that enter, roll and collide, as frames or clips, chosen and split as for DLP
(2022) or its successor.

ROOT/.../video_00000.mp4          128 frames of 480 x 320; 0 to 9999 are for training, 10000 to 14999 for
validation, in any sub-folders ROOT/.../annotation_00000.json    where present: kinds, places in the world
and velocities of the things, as truth
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image

from motes.data.base import Dataset, Split
from motes.data.files.picture_files import check_looks, colours_first
from motes.data.files.video_file import Footage
from motes.data.files.video_frames import Reel
from motes.data.splits import clips
from motes.errors import UserError
from motes.types.truth import Truth

PAGE = "clevrer.csail.mit.edu"
LENGTH = 128  # frames of every video
# numbers of videos
TRAINING = range(10_000)
VALIDATION = range(10_000, 15_000)
MOST = 10  # things in a video, at most
KINDS = {
    "colour": ("gray", "red", "blue", "green", "brown", "cyan", "purple", "yellow"),
    "material": ("rubber", "metal"),
    "shape": ("cube", "sphere", "cylinder"),
}


@dataclass(frozen=True)
class Protocol:
    """Which frames of which videos, and how they are made small."""

    # frames before it are left out: nothing has entered yet
    first: int
    step: int
    # frames that are kept of each video
    count: int
    # videos
    training: int
    # videos; the next ones are for the test
    validation: int
    test: int
    resample: Image.Resampling


PROTOCOLS = {
    "dlp": Protocol(27, 3, 34, 10_000, 147, 5_000, Image.Resampling.BICUBIC),
    "ddlp": Protocol(
        18, 1, 100, 5_000, 1_000, 1_000, Image.Resampling.BOX
    ),  # an average over areas, as OpenCV's INTER_AREA
}
LISTED = 101  # frames of each video in the joined list of the 2022 code: 27 to 127
VALIDATED = 5_000  # of that list, so many frames for validation


@dataclass(frozen=True)
class ClevrerConfig:
    """Frames squeezed to a square, as published."""

    # the folder that holds the videos, in whatever sub-folders
    root: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey
    channels: int = 3
    # dlp: every third frame from 27 on; ddlp: frames 18 to 117 of 5,000 videos
    protocol: Literal["dlp", "ddlp"] = "dlp"
    # of a clip
    frames: int = 1
    # from a clip's first frame to the next clip's, in frames that are kept; 0: clips share none, 1: every
    # window
    stride: int = 0
    # of each split at most; 0: all
    videos: int = 0
    # dlp: every third of all videos' frames joined, as the 2022 code does it: which frames, drifts from
    # video to video
    original: bool = False


class Clevrer(Dataset):
    """Splits hold whole videos; validation and test are of CLEVRER's validation videos, which have
    annotations.

    The 2022 code takes every third of the joined frames of all videos, and 101 frames are no multiple of 3:
    `original` does the same, and validates on the first 5,000 of them. Without it each video begins at frame
    27, which gives 34 frames of each, and validation 147 videos. Centres in the picture are not annotated;
    `factors` has location and velocity in the world.
    """

    Config = ClevrerConfig

    def __init__(self, config: ClevrerConfig, split: Split = "train"):
        _check(config)
        self.config = config
        self.split: Split = split
        self._protocol = PROTOCOLS[config.protocol]
        self._paths = _choose(_numbered(Path(config.root), "video_*.mp4"), config, split)
        self._notes = self._annotations()
        self._reel = Reel(self._plan(), self._footage, self._brought)
        self._read = lru_cache(maxsize=256)(self._read_annotation)

    def __len__(self) -> int:
        return len(self._reel)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._reel.pixels(rows)

    def place(self, row: int) -> tuple[int, int]:
        """The numbers of a row's video and frame."""
        video, frame = self._reel.places[row].tolist()
        return _number(self._paths[video]), frame

    def truth(self, rows: Sequence[int]) -> Truth | None:
        if not self._notes:
            return None
        found = []
        for video, frame in self._reel.places[list(rows)].tolist():
            known = self._read(video)
            found.append(
                {
                    name: value[frame] if name in ("present", "location", "velocity") else value
                    for name, value in known.items()
                }
            )
        joined = {name: torch.from_numpy(np.stack([one[name] for one in found])) for name in found[0]}
        numbers = torch.tensor([self.place(row)[0] for row in rows])
        return Truth(joined.pop("present"), factors=joined, scene={"video": numbers})

    def _plan(self) -> np.ndarray:
        """(video, frame) of each row."""
        told = self._protocol
        config = self.config
        if config.original:
            joined = np.arange(0, LISTED * len(self._paths), told.step)
            joined = joined[:VALIDATED] if self.split == "validation" else joined
            return np.stack([joined // LISTED, told.first + joined % LISTED], 1)
        frames = told.first + told.step * clips(told.count, config.frames, config.stride).reshape(-1)
        videos = np.repeat(np.arange(len(self._paths)), len(frames))
        return np.stack([videos, np.tile(frames, len(self._paths))], 1)

    def _footage(self, video: int) -> Footage:
        footage = Footage(self._paths[video])
        if len(footage) != LENGTH:
            raise UserError(
                f"{footage.path} has {len(footage)} frames, not {LENGTH}; it is cut short, get it again from {PAGE}"
            )
        return footage

    def _brought(self, frame: Image.Image, video: int) -> np.ndarray:
        rows, columns = self.config.image_size
        sized = frame.resize((columns, rows), self._protocol.resample)
        return colours_first(np.asarray(sized.convert("RGB" if self.config.channels == 3 else "L")))

    def _annotations(self) -> list[Path]:
        """Of each video; none at all where there are none."""
        there = {_number(path): path for path in _numbered(Path(self.config.root), "annotation_*.json")}
        missing = [path for path in self._paths if _number(path) not in there]
        if len(missing) == len(self._paths):
            return []
        if missing:
            raise UserError(
                f"{len(missing)} of {len(self._paths)} videos have no annotation, the first {missing[0].name}; unpack the annotations again, or remove them"
            )
        return [there[_number(path)] for path in self._paths]

    def _read_annotation(self, video: int) -> dict[str, np.ndarray]:
        """present T N; location, velocity T N 3; colour, material, shape N."""
        path = self._notes[video]
        try:
            facts = json.loads(path.read_text())
            things = facts["object_property"]
            frames = {one["frame_id"]: one["objects"] for one in facts["motion_trajectory"]}
        except (ValueError, KeyError, TypeError) as problem:
            raise UserError(
                f"{path} is cut short, or no annotation of CLEVRER ({type(problem).__name__} {problem})"
            ) from None
        if len(things) > MOST or sorted(frames) != list(range(LENGTH)):
            raise UserError(
                f"{path} tells of {len(things)} things in {len(frames)} frames, not of {LENGTH} frames with at most {MOST}"
            )
        place = {one["object_id"]: n for n, one in enumerate(things)}
        known = {name: np.full(MOST, -1, np.int64) for name in KINDS}
        for n, thing in enumerate(things):
            for name, kinds in KINDS.items():
                known[name][n] = kinds.index(_kind(thing, "color" if name == "colour" else name, kinds, path))
        known |= {"present": np.zeros((LENGTH, MOST), bool)}
        known |= {name: np.zeros((LENGTH, MOST, 3), np.float32) for name in ("location", "velocity")}
        for frame, moving in frames.items():
            for thing in moving:
                n = place[thing["object_id"]]
                known["present"][frame, n] = thing["inside_camera_view"]
                known["location"][frame, n] = thing["location"]
                known["velocity"][frame, n] = thing["velocity"]
        return known


def _choose(found: list[Path], config: ClevrerConfig, split: Split) -> list[Path]:
    told = PROTOCOLS[config.protocol]
    named = {
        "train": (TRAINING, 0, told.training),
        "validation": (VALIDATION, 0, told.validation),
        "test": (VALIDATION, told.validation, told.test),
    }
    numbers, first, count = named[split]
    validated = -(-VALIDATED * told.step // LISTED)
    if config.original and split == "validation":
        count = validated
    elif config.original and split == "test":
        first = validated
    of_kind = [path for path in found if _number(path) in numbers]
    chosen = of_kind[first : first + min(count, config.videos or count)]
    if not chosen:
        kind = "training" if split == "train" else "validation"
        raise UserError(
            f"{config.root} has {len(of_kind)} {kind} videos of CLEVRER (video_{numbers.start:05d}.mp4 to video_{numbers.stop - 1:05d}.mp4, from {PAGE}); "
            f"the {split} split wants those from number {first} of them on"
        )
    return chosen


def _numbered(root: Path, pattern: str) -> list[Path]:
    return sorted(
        (path for path in root.rglob(pattern) if path.stem.rpartition("_")[2].isdecimal()), key=_number
    )


def _number(path: Path) -> int:
    return int(path.stem.rpartition("_")[2])


def _kind(thing: dict[str, Any], key: str, kinds: Sequence[str], path: Path) -> str:
    if thing.get(key) not in kinds:
        raise UserError(f"{path} has a thing of {key} {thing.get(key)!r}; known are {', '.join(kinds)}")
    return thing[key]


def _check(config: ClevrerConfig) -> None:
    if not config.root or not Path(config.root).is_dir():
        raise UserError(
            f"CLEVRER needs the folder of its videos, and {config.root or 'nothing'!r} is none; name it with --data.root, get it from {PAGE}"
        )
    if config.protocol not in PROTOCOLS:
        raise UserError(f"protocol {config.protocol!r} is unknown; choose one of {', '.join(PROTOCOLS)}")
    most = PROTOCOLS[config.protocol].count
    if not 1 <= config.frames <= most or config.stride < 0:
        raise UserError(
            f"clips of {config.frames} frames with stride {config.stride} cannot be; {config.protocol} keeps {most} frames of each video"
        )
    if config.original and (config.frames != 1 or config.protocol != "dlp"):
        raise UserError(
            "original is the list of single frames of the 2022 code: it goes with protocol dlp and frames 1"
        )
    check_looks(config.image_size, config.channels)
