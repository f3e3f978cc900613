"""CLEVRER: videos of things that enter, roll and collide, split as for DLP (2022) or its successor.

ROOT/.../video_00000.mp4
    128 frames of 480 x 320; 0 to 9999 are for training, 10000 to 14999 for validation, in any sub-folders
ROOT/.../annotation_00000.json
    where present: kinds, places in the world and velocities of the things, as truth
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
from motes.data.files.video_file import VideoFile
from motes.data.files.video_frames import VideoFrames
from motes.data.splits import clips
from motes.errors import UserError
from motes.types.truth import Truth

PAGE = "clevrer.csail.mit.edu"
# frames of every video
LENGTH = 128
# numbers of videos
TRAINING = range(10_000)
VALIDATION = range(10_000, 15_000)
# things in a video, at most
MOST = 10
KINDS = {
    "colour": ("gray", "red", "blue", "green", "brown", "cyan", "purple", "yellow"),
    "material": ("rubber", "metal"),
    "shape": ("cube", "sphere", "cylinder"),
}
# the kinds as annotations call them
KEYS = {"colour": "color", "material": "material", "shape": "shape"}
# frames of each video in the joined list of the 2022 code: 27 to 127
LISTED = 101
# number of frames of that list for validation
VALIDATED = 5_000
# annotations in memory
ANNOTATIONS = 256


@dataclass(frozen=True)
class Protocol:
    """Which frames of which videos a paper uses, and how it scales them down."""

    # number of the first frame that is used; before it nothing has entered
    first: int
    step: int
    # frames that are kept of each video
    count: int
    # number of videos for training
    training: int
    # number of videos for validation; the next ones are for the test
    validation: int
    test: int
    resample: Image.Resampling


PROTOCOLS = {
    "dlp": Protocol(27, 3, 34, 10_000, 147, 5_000, Image.Resampling.BICUBIC),
    # an average over areas, as OpenCV's INTER_AREA
    "ddlp": Protocol(18, 1, 100, 5_000, 1_000, 1_000, Image.Resampling.BOX),
}


@dataclass(frozen=True)
class ClevrerConfig:
    """Frames are squeezed to a square, as published."""

    # the folder that holds the videos, in whatever sub-folders
    root: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey, 3: colours
    channels: int = 3
    # dlp: every third frame from 27 on; ddlp: frames 18 to 117 of 5,000 videos
    protocol: Literal["dlp", "ddlp"] = "dlp"
    # frames of a clip
    frames: int = 1
    # kept frames from the first frame of a clip to that of the next clip; 0: clips share no frame, 1: a clip
    # begins at every frame
    stride: int = 0
    # videos of each split at most; 0: all
    videos: int = 0
    # dlp: every third frame of all videos joined, as in the 2022 code: which frames these are differs between
    # videos
    original: bool = False


class Clevrer(Dataset):
    """Frames of whole videos; validation and test have CLEVRER's validation videos, which are annotated.

    The 2022 code joins the 101 frames of each video and takes every third. 101 is no multiple of 3, so which
    frames these are differs between videos. `original` does the same, and validates on the first 5,000 of
    them. Without it each video begins at frame 27 and has 34 frames, and validation has 147 videos. Centres
    in the picture are not annotated; `factors` has location and velocity in the world.
    """

    Config = ClevrerConfig

    def __init__(self, config: ClevrerConfig, split: Split = "train"):
        _check(config)
        self.config = config
        self.split: Split = split
        self._protocol = PROTOCOLS[config.protocol]
        self._paths = _videos_of_split(_numbered(Path(config.root), "video_*.mp4"), config, split)
        # the file of annotations of each video; none at all where there are none
        self._notes = _annotations(Path(config.root), self._paths)
        self._frames = VideoFrames(self._plan(), self._open_video, self._to_pixels)
        self._read = lru_cache(ANNOTATIONS)(lambda video: read_annotation(self._notes[video]))

    def __len__(self) -> int:
        return len(self._frames)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._frames.pixels(rows)

    def place(self, row: int) -> tuple[int, int]:
        """The numbers of a row's video and frame."""
        video, frame = self._frames.frames[row].tolist()
        return _number(self._paths[video]), frame

    def truth(self, rows: Sequence[int]) -> Truth | None:
        if not self._notes:
            return None
        frames = self._frames.frames[list(rows)].tolist()
        annotated = [_at_frame(self._read(video), frame) for video, frame in frames]
        joined = {
            name: torch.from_numpy(np.stack([values[name] for values in annotated])) for name in annotated[0]
        }
        numbers = torch.tensor([_number(self._paths[video]) for video, _ in frames])
        return Truth(joined.pop("present"), factors=joined, scene={"video": numbers})

    def _plan(self) -> np.ndarray:
        """For each row, the index of the video in the split and the number of the frame."""
        protocol = self._protocol
        if self.config.original:
            return self._joined_plan()
        steps = clips(protocol.count, self.config.frames, self.config.stride).reshape(-1)
        frames = protocol.first + protocol.step * steps
        videos = np.repeat(np.arange(len(self._paths)), len(frames))
        return np.stack([videos, np.tile(frames, len(self._paths))], 1)

    def _joined_plan(self) -> np.ndarray:
        """The same as `_plan`, counted in the list in which the frames of all videos are joined."""
        joined = np.arange(0, LISTED * len(self._paths), self._protocol.step)
        joined = joined[:VALIDATED] if self.split == "validation" else joined
        return np.stack([joined // LISTED, self._protocol.first + joined % LISTED], 1)

    def _open_video(self, number: int) -> VideoFile:
        video = VideoFile(self._paths[number])
        if len(video) != LENGTH:
            raise UserError(
                f"{video.path} has {len(video)} frames, not {LENGTH}; "
                f"it is cut short, get it again from {PAGE}"
            )
        return video

    def _to_pixels(self, frame: Image.Image, video: int) -> np.ndarray:
        rows, columns = self.config.image_size
        small = frame.resize((columns, rows), self._protocol.resample)
        return colours_first(np.asarray(small.convert("RGB" if self.config.channels == 3 else "L")))


def read_annotation(path: Path) -> dict[str, np.ndarray]:
    """The annotation of a video by name: present T N; location, velocity T N 3; colour, material, shape N."""
    try:
        content = json.loads(path.read_text())
        records = content["object_property"]
        frames = {motion["frame_id"]: motion["objects"] for motion in content["motion_trajectory"]}
    except (ValueError, KeyError, TypeError) as problem:
        reason = f"{type(problem).__name__} {problem}"
        raise UserError(f"{path} is cut short, or no annotation of CLEVRER ({reason})") from None
    if len(records) > MOST or sorted(frames) != list(range(LENGTH)):
        raise UserError(
            f"{path} tells of {len(records)} things in {len(frames)} frames, "
            f"not of {LENGTH} frames with at most {MOST}"
        )
    number_of = {record["object_id"]: n for n, record in enumerate(records)}
    return _kinds(records, path) | _motion(frames, number_of)


def _kinds(records: list[dict[str, Any]], path: Path) -> dict[str, np.ndarray]:
    """For each thing the numbers of its colour, material and shape; -1 if there is no such thing."""
    numbers = {name: np.full(MOST, -1, np.int64) for name in KINDS}
    for name, kinds in KINDS.items():
        numbers[name][: len(records)] = [
            kinds.index(_kind(record, KEYS[name], kinds, path)) for record in records
        ]
    return numbers


def _kind(record: dict[str, Any], key: str, kinds: Sequence[str], path: Path) -> str:
    if record.get(key) not in kinds:
        raise UserError(f"{path} has a thing of {key} {record.get(key)!r}; known are {', '.join(kinds)}")
    return record[key]


def _motion(frames: dict[int, list[dict[str, Any]]], number_of: dict[int, int]) -> dict[str, np.ndarray]:
    present = np.zeros((LENGTH, MOST), bool)
    location = np.zeros((LENGTH, MOST, 3), np.float32)
    velocity = np.zeros((LENGTH, MOST, 3), np.float32)
    for frame, moving in frames.items():
        for record in moving:
            n = number_of[record["object_id"]]
            present[frame, n] = record["inside_camera_view"]
            location[frame, n] = record["location"]
            velocity[frame, n] = record["velocity"]
    return {"present": present, "location": location, "velocity": velocity}


def _at_frame(annotation: dict[str, np.ndarray], frame: int) -> dict[str, np.ndarray]:
    """The factors at one frame: the values of moving ones at this frame, and constant ones unchanged."""
    return {name: value if name in KINDS else value[frame] for name, value in annotation.items()}


def _annotations(root: Path, videos: list[Path]) -> list[Path]:
    path_of = {_number(path): path for path in _numbered(root, "annotation_*.json")}
    missing = [video for video in videos if _number(video) not in path_of]
    if len(missing) == len(videos):
        return []
    if missing:
        raise UserError(
            f"{len(missing)} of {len(videos)} videos have no annotation, the first {missing[0].name}; "
            "unpack the annotations again, or remove them"
        )
    return [path_of[_number(video)] for video in videos]


def _videos_of_split(videos: list[Path], config: ClevrerConfig, split: Split) -> list[Path]:
    numbers, first, count = _numbers_of_split(config, split)
    of_kind = [path for path in videos if _number(path) in numbers]
    chosen = of_kind[first : first + min(count, config.videos or count)]
    if not chosen:
        kind = "training" if split == "train" else "validation"
        names = f"video_{numbers.start:05d}.mp4 to video_{numbers.stop - 1:05d}.mp4"
        raise UserError(
            f"{config.root} has {len(of_kind)} {kind} videos of CLEVRER ({names}, from {PAGE}); "
            f"the {split} split wants those from number {first} of them on"
        )
    return chosen


def _numbers_of_split(config: ClevrerConfig, split: Split) -> tuple[range, int, int]:
    """The numbers of the split's videos, the first one that is used, and how many are used."""
    protocol = PROTOCOLS[config.protocol]
    # number of videos that hold the first VALIDATED frames used of the joined list
    validated = -(-VALIDATED * protocol.step // LISTED)
    validation = validated if config.original else protocol.validation
    numbers = {
        "train": (TRAINING, 0, protocol.training),
        "validation": (VALIDATION, 0, validation),
        "test": (VALIDATION, validation, protocol.test),
    }
    return numbers[split]


def _numbered(root: Path, pattern: str) -> list[Path]:
    """The files below `root` that fit the pattern, in the order of the numbers that end their names."""
    files = [path for path in root.rglob(pattern) if path.stem.rpartition("_")[2].isdecimal()]
    return sorted(files, key=_number)


def _number(path: Path) -> int:
    return int(path.stem.rpartition("_")[2])


def _check(config: ClevrerConfig) -> None:
    if not config.root or not Path(config.root).is_dir():
        raise UserError(
            f"CLEVRER needs the folder of its videos, and {config.root or 'nothing'!r} is none; "
            f"name it with --data.root, get it from {PAGE}"
        )
    if config.protocol not in PROTOCOLS:
        raise UserError(f"protocol {config.protocol!r} is unknown; choose one of {', '.join(PROTOCOLS)}")
    _check_clips(config)
    check_looks(config.image_size, config.channels)


def _check_clips(config: ClevrerConfig) -> None:
    most = PROTOCOLS[config.protocol].count
    if not 1 <= config.frames <= most or config.stride < 0:
        raise UserError(
            f"clips of {config.frames} frames with stride {config.stride} cannot be; "
            f"{config.protocol} keeps {most} frames of each video"
        )
    if config.original and (config.frames != 1 or config.protocol != "dlp"):
        raise UserError(
            "original is the list of single frames of the 2022 code: it goes with protocol dlp and frames 1"
        )
