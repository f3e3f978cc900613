"""LeRobot data sets, version 3, read without their library: frames or clips of one camera.

A video file holds many episodes.

ROOT/meta/info.json
    features, frames a second, and where the files are
ROOT/meta/episodes/chunk-000/file-000.parquet
    for each episode its length, its video file, and the time in the file at which it begins
ROOT/videos/observation.images.CAMERA/chunk-000/file-000.mp4
ROOT/data/chunk-000/file-000.parquet
    states and actions; they become `Truth.scene` where present, and actions also `Batch.actions`
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from motes.data.actions import action_tensor
from motes.data.base import Dataset, Split
from motes.data.files.parquet import ParquetTable
from motes.data.files.picture_files import check_looks, cropped, to_size
from motes.data.files.video_file import VideoFile, import_av
from motes.data.files.video_frames import VideoFrames
from motes.data.splits import block, check_held_out, clips, no_clip, share_out
from motes.errors import UserError
from motes.types.truth import Truth

# columns of the data, and their names in `Truth.scene`
COLUMNS = {"observation.state": "state", "action": "action"}
# seconds left out between the splits of one episode
GAP = 1.0
TEMPLATE = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"


@dataclass(frozen=True)
class LeRobotConfig:
    """A folder with meta, data and videos, as `lerobot` records or downloads it."""

    path: str = ""
    # name of the camera, such as observation.images.front, or front; empty: the first
    camera: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey, 3: colours
    channels: int = 3
    # fit: scale to cover, then cut the middle; stretch: scale both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # crop before resizing: first row, first column, rows, columns of the frame; zeros: the whole frame
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)
    # frames of a clip
    frames: int = 1
    # keep every n-th frame: 3 is every third
    skip: int = 1
    # kept frames from the first frame of a clip to that of the next clip; 0: clips share no frame
    stride: int = 0
    # share of the episodes for validation, and as many again for the test
    held_out: float = 0.1


@dataclass(frozen=True)
class Episode:
    """Where the frames of one episode are."""

    number: int
    length: int
    video: Path
    # seconds from the beginning of that file
    since: float
    # its first row in the data
    first: int


@dataclass(frozen=True)
class _Measurements:
    """States and actions of all frames of the set, in the order of their index."""

    # name in `Truth.scene` -> one row a frame
    values: dict[str, np.ndarray]
    # the file and the row of a frame, for errors
    where: Callable[[int], str]


class LeRobot(Dataset):
    """Frames or clips of one camera; a hash of an episode's number decides its split.

    If there are only one or two episodes, the end of each is held out, after a gap of a second.
    """

    Config = LeRobotConfig

    def __init__(self, config: LeRobotConfig, split: Split = "train"):
        _check(config)
        self.config = config
        self.split: Split = split
        self._root = Path(config.path)
        self._rate, camera, episodes = read_episodes(self._root, config.camera)
        # whether episodes go to splits undivided
        self._undivided = len(episodes) >= 3
        numbers = [str(episode.number) for episode in episodes]
        chosen = share_out(numbers, split, ("validation", "test"), config.held_out)
        self._episodes = [episodes[row] for row in sorted(chosen)]
        self._videos = sorted({episode.video for episode in self._episodes})
        self._check_videos(camera)
        # the episode of each row, and the number of its frame there
        self._of_row = self._plan()
        self._frames = VideoFrames(self._frames_in_videos(), self._open_video, self._to_pixels)

    def __len__(self) -> int:
        return len(self._frames)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._frames.pixels(rows)

    def truth(self, rows: Sequence[int]) -> Truth:
        """Each frame's episode, its time in it, and the robot's state and action. It has no things."""
        chosen = self._of_row[list(rows)]
        scene = {
            "episode": torch.tensor([self._episodes[episode].number for episode in chosen[:, 0]]),
            "time": torch.from_numpy((chosen[:, 1] / self._rate).astype(np.float32)),
        }
        frames = self._frames_in_data(rows)
        values = self._measurements.values
        scene |= {name: torch.from_numpy(values[name][frames]) for name in values}
        return Truth(torch.zeros(len(chosen), 0, dtype=torch.bool), scene=scene)

    def actions(self, rows: Sequence[int]) -> Float[Tensor, "N A"] | None:
        """The action that was recorded at each frame.

        Actions of frames that `skip` leaves out are left out too.
        """
        if "action" not in self._measurements.values:
            return None
        actions = self._measurements.values["action"][self._frames_in_data(rows)]
        return action_tensor(actions, lambda number: self._where(rows[number]))

    def _where(self, row: int) -> str:
        """The name of a row's frame and of the file of its action, for errors."""
        episode, frame = self._of_row[row].tolist()
        file = self._measurements.where(self._episodes[episode].first + frame)
        return f"frame {frame} of episode {self._episodes[episode].number} ({file})"

    @cached_property
    def _measurements(self) -> _Measurements:
        files = sorted((self._root / "data").rglob("*.parquet"))
        if not files:
            return _Measurements({}, str)
        table = ParquetTable(files)
        row = np.argsort(np.array(table.column("index"), np.int64))
        present = [name for name in COLUMNS if name in table.schema.names]
        values = {COLUMNS[name]: np.array(table.column(name), np.float32)[row] for name in present}
        return _Measurements(values, lambda frame: table.where(int(row[frame])))

    def _frames_in_data(self, rows: Sequence[int]) -> list[int]:
        return [self._episodes[episode].first + frame for episode, frame in self._of_row[list(rows)].tolist()]

    def _plan(self) -> np.ndarray:
        """For each row, the episode and the number of the frame in it."""
        of_row = np.concatenate([self._frames_of(number) for number in range(len(self._episodes))])
        if not len(of_row):
            raise no_clip(self.split, self._root, self.config.frames)
        return of_row

    def _frames_of(self, episode: int) -> np.ndarray:
        config = self.config
        picked = np.arange(0, self._episodes[episode].length, config.skip)
        if not self._undivided:
            picked = picked[block(picked / self._rate, self.split, config.held_out, GAP)]
        frames = picked[clips(len(picked), config.frames, config.stride).reshape(-1)]
        return np.stack([np.full_like(frames, episode), frames], 1)

    def _frames_in_videos(self) -> np.ndarray:
        """For each row, the video and the number of the frame in it."""
        videos = np.array([self._videos.index(episode.video) for episode in self._episodes])
        first = np.array([round(episode.since * self._rate) for episode in self._episodes])
        episodes, frames = self._of_row.T
        return np.stack([videos[episodes], first[episodes] + frames], 1)

    def _check_videos(self, camera: str) -> None:
        if missing := [video for video in self._videos if not video.is_file()]:
            raise UserError(
                f"{len(missing)} of {len(self._videos)} videos of {camera} are missing, "
                f"the first {missing[0]}; download the set again"
            )
        import_av()  # now, and not in the first step

    def _open_video(self, number: int) -> VideoFile:
        """Open a video, and refuse it if its length contradicts the episodes: each row must be the right
        frame."""
        video = VideoFile(self._videos[number])
        for episode in self._episodes:
            if episode.video == video.path:
                _check_times(episode, video, self._rate)
        return video

    def _to_pixels(self, frame: Image.Image, video: int) -> np.ndarray:
        picture = cropped(frame, self.config.crop, self._videos[video])
        return to_size(picture, self.config.image_size, self.config.channels, self.config.fit)


def _check_times(episode: Episode, video: VideoFile, rate: float) -> None:
    first = round(episode.since * rate)
    if first + episode.length > len(video):
        raise UserError(
            f"{video.path} has {len(video)} frames, "
            f"but episode {episode.number} ends at {first + episode.length}; "
            "it is cut short, download it again"
        )
    if abs(video.times[first] - episode.since) > 0.6 / rate:
        raise UserError(
            f"episode {episode.number} begins {episode.since:.3f} s into {video.path}, "
            f"where frame {first} is shown at {video.times[first]:.3f} s"
        )


def read_episodes(root: Path, camera: str = "") -> tuple[float, str, list[Episode]]:
    """Frames a second, the name of the camera, and the episodes in it; by default the first camera."""
    info = read_info(root)
    name = _choose_camera(info, camera, root)
    return float(info["fps"]), name, _read_episodes(root, info, name)


def read_info(root: Path) -> dict[str, Any]:
    path = root / "meta" / "info.json"
    try:
        info = json.loads(path.read_text())
        version = str(info["codebase_version"])
        has_frames = float(info["fps"]) > 0 and bool(dict(info["features"]))
    except FileNotFoundError:
        raise UserError(f"{root} is no LeRobot data set: it has no meta/info.json") from None
    except (ValueError, KeyError, TypeError) as problem:
        reason = f"{type(problem).__name__} {problem}"
        raise UserError(f"{path} is cut short, or not of LeRobot ({reason})") from None
    if not has_frames:
        features = ", ".join(info["features"]) or "none"
        raise UserError(f"{path} tells of no frames: fps {info['fps']}, features {features}")
    if not version.startswith("v3"):
        raise UserError(
            f"{root} is of LeRobot's version {version}, not v3; "
            "convert it with lerobot's convert_dataset_v21_to_v30"
        )
    return info


def _choose_camera(info: dict[str, Any], camera: str, root: Path) -> str:
    kinds = {name: feature.get("dtype") for name, feature in info["features"].items()}
    cameras = [name for name, kind in kinds.items() if kind == "video"]
    if not cameras:
        hint = f"; its pictures are in parquet: --data {root / 'data'}" if "image" in kinds.values() else ""
        raise UserError(f"{root} has no video among {', '.join(kinds)}{hint}")
    for name in cameras:
        if camera in ("", name, name.rpartition(".")[2]):
            return name
    raise UserError(f"{root} has no camera {camera!r}; there are {', '.join(cameras)}")


def _read_episodes(root: Path, info: dict[str, Any], camera: str) -> list[Episode]:
    files = sorted((root / "meta" / "episodes").rglob("*.parquet"))
    if not files:
        raise UserError(f"{root} has no meta/episodes/*.parquet; download the set again")
    of_video = [f"videos/{camera}/{name}" for name in ("chunk_index", "file_index", "from_timestamp")]
    columns = _columns(files, ["episode_index", "length", *of_video, "dataset_from_index"])
    template = info.get("video_path") or TEMPLATE
    episodes = []
    for number, length, chunk, file, since, first in zip(*columns, strict=True):
        video = root / template.format(video_key=camera, chunk_index=chunk, file_index=file)
        episodes.append(Episode(number, length, video, float(since), first))
    expected = info.get("total_episodes", len(episodes))
    if expected != len(episodes):
        raise UserError(
            f"{root / 'meta' / 'info.json'} says {expected} episodes, meta/episodes has {len(episodes)}; "
            "download the set again"
        )
    return sorted(episodes, key=lambda episode: episode.number)


def _columns(files: list[Path], names: list[str]) -> list[list[Any]]:
    table = ParquetTable(files)
    if missing := [name for name in names if name not in table.schema.names]:
        raise UserError(f"{files[0]} lacks {', '.join(missing)}; the set is not whole")
    return [table.column(name) for name in names]


def _check(config: LeRobotConfig) -> None:
    check_looks(config.image_size, config.channels, config.fit)
    if not config.path or not Path(config.path).is_dir():
        raise UserError(f"a LeRobot data set is a folder, and {config.path or 'nothing'!r} is none")
    check_held_out(config.held_out)
    if min(config.frames, config.skip) < 1 or config.stride < 0:
        raise UserError(
            f"clips of {config.frames} frames, every {config.skip}, with stride {config.stride} cannot be"
        )
