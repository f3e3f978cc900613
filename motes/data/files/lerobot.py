"""LeRobot data sets, version 3, read directly: one camera's frames or clips out of videos that hold many
episodes each.

ROOT/meta/info.json                                       features, frames a second, and where the files are
ROOT/meta/episodes/chunk-000/file-000.parquet             of each episode: its length, its video file and
since when ROOT/videos/observation.images.CAMERA/chunk-000/file-000.mp4 ROOT/data/chunk-000/file-000.parquet
states and actions, which come as `Truth.scene` where they are
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from motes.data.base import Dataset, Split
from motes.data.files.parquet import Table
from motes.data.files.picture_files import check_looks, cut, to_size
from motes.data.files.video_file import Footage, import_av
from motes.data.files.video_frames import Reel
from motes.data.splits import block, check_held_out, clips, share_out
from motes.errors import UserError
from motes.types.truth import Truth

KEPT = {
    "observation.state": "state",
    "action": "action",
}  # columns of the data, and their names in `Truth.scene`


@dataclass(frozen=True)
class LeRobotConfig:
    """A folder with meta, data and videos, as `lerobot` records or downloads it."""

    path: str = ""
    # such as observation.images.front, or front; empty: the first
    camera: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey
    channels: int = 3
    # fit: cover and cut the middle; stretch: both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # first row, first column, rows, columns of the frame, before all else; zeros: all of it
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)
    # of a clip
    frames: int = 1
    # 3: every third frame
    skip: int = 1
    # from a clip's first frame to the next clip's, in frames that are kept; 0: clips share none
    stride: int = 0
    # share of the episodes for validation, and as many again for the test
    held_out: float = 0.1


@dataclass(frozen=True)
class Episode:
    """Where an episode's frames are."""

    number: int
    length: int
    video: Path
    # seconds from the beginning of that file
    since: float
    # its first row in the data
    first: int


class LeRobot(Dataset):
    """Episodes go to splits whole, by a hash of their number; with one or two, the end of each is held out,
    after a second's gap."""

    Config = LeRobotConfig

    def __init__(self, config: LeRobotConfig, split: Split = "train"):
        _check(config)
        self.config = config
        self.split: Split = split
        self._root = Path(config.path)
        info = _read_info(self._root)
        self._rate = float(info["fps"])
        camera = _choose_camera(info, config.camera, self._root)
        everything = _read_episodes(self._root, info, camera)
        self._whole = len(everything) >= 3
        chosen = share_out(
            [str(one.number) for one in everything], split, ("validation", "test"), config.held_out
        )
        self._episodes = [everything[row] for row in sorted(chosen)]
        self._videos = sorted({one.video for one in self._episodes})
        if missing := [video for video in self._videos if not video.is_file()]:
            raise UserError(
                f"{len(missing)} of {len(self._videos)} videos of {camera} are missing, the first {missing[0]}; download the set again"
            )
        import_av()  # now, and not in the first step
        places, self._of_row = self._plan()
        self._reel = Reel(places, self._footage, self._brought)

    def __len__(self) -> int:
        return len(self._reel)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._reel.pixels(rows)

    def truth(self, rows: Sequence[int]) -> Truth:
        """Nothing of things, but of each frame its episode, its time there, and the robot's state and
        action."""
        chosen = self._of_row[list(rows)]
        episodes = [self._episodes[place] for place in chosen[:, 0]]
        scene = {
            "episode": torch.tensor([one.number for one in episodes]),
            "time": torch.from_numpy((chosen[:, 1] / self._rate).astype(np.float32)),
        }
        at = [one.first + frame for one, frame in zip(episodes, chosen[:, 1].tolist(), strict=True)]
        scene |= {name: torch.from_numpy(values[at]) for name, values in self._data.items()}
        return Truth(torch.zeros(len(chosen), 0, dtype=torch.bool), scene=scene)

    @cached_property
    def _data(self) -> dict[str, np.ndarray]:
        files = sorted((self._root / "data").rglob("*.parquet"))
        if not files:
            return {}
        table = Table(files)
        order = np.argsort(np.array(table.whole("index"), np.int64))
        present = [name for name in KEPT if name in table.schema.names]
        return {KEPT[name]: np.array(table.whole(name), np.float32)[order] for name in present}

    def _plan(self) -> tuple[np.ndarray, np.ndarray]:
        """(video, frame in it) and (episode, frame in it) of each row."""
        config = self.config
        places = []
        of_row = []
        for number, episode in enumerate(self._episodes):
            kept = np.arange(0, episode.length, config.skip)
            if not self._whole:
                kept = kept[block(kept / self._rate, self.split, config.held_out, 1.0)]
            frames = kept[clips(len(kept), config.frames, config.stride).reshape(-1)]
            video = self._videos.index(episode.video)
            places.append(
                np.stack([np.full_like(frames, video), round(episode.since * self._rate) + frames], 1)
            )
            of_row.append(np.stack([np.full_like(frames, number), frames], 1))
        if not sum(map(len, places)):
            raise UserError(
                f"the {self.split} split of {self._root} has no clip of {config.frames} frames; lower frames or skip, or raise held_out"
            )
        return np.concatenate(places), np.concatenate(of_row)

    def _footage(self, video: int) -> Footage:
        """Opened, and compared with what the episodes say of it: the right frame, or none."""
        footage = Footage(self._videos[video])
        for episode in (one for one in self._episodes if one.video == footage.path):
            first = round(episode.since * self._rate)
            if first + episode.length > len(footage):
                raise UserError(
                    f"{footage.path} has {len(footage)} frames, but episode {episode.number} ends at {first + episode.length}; it is cut short, download it again"
                )
            if abs(footage.times[first] - episode.since) > 0.6 / self._rate:
                raise UserError(
                    f"episode {episode.number} begins {episode.since:.3f} s into {footage.path}, where frame {first} is shown at {footage.times[first]:.3f} s"
                )
        return footage

    def _brought(self, frame: Image.Image, video: int) -> np.ndarray:
        whole = cut(frame, self.config.crop, self._videos[video])
        return to_size(whole, self.config.image_size, self.config.channels, self.config.fit)


def _read_info(root: Path) -> dict[str, Any]:
    path = root / "meta" / "info.json"
    try:
        info = json.loads(path.read_text())
        version = str(info["codebase_version"])
        whole = float(info["fps"]) > 0 and bool(dict(info["features"]))
    except FileNotFoundError:
        raise UserError(f"{root} is no LeRobot data set: it has no meta/info.json") from None
    except (ValueError, KeyError, TypeError) as problem:
        raise UserError(
            f"{path} is cut short, or not of LeRobot ({type(problem).__name__} {problem})"
        ) from None
    if not whole:
        raise UserError(
            f"{path} tells of no frames: fps {info['fps']}, features {', '.join(info['features']) or 'none'}"
        )
    if not version.startswith("v3"):
        raise UserError(
            f"{root} is of LeRobot's version {version}, not v3; convert it with lerobot's convert_dataset_v21_to_v30"
        )
    return info


def _choose_camera(info: dict[str, Any], wanted: str, root: Path) -> str:
    kinds = {name: one.get("dtype") for name, one in info["features"].items()}
    cameras = [name for name, kind in kinds.items() if kind == "video"]
    if not cameras:
        hint = f"; its pictures are in parquet: --data {root / 'data'}" if "image" in kinds.values() else ""
        raise UserError(f"{root} has no video among {', '.join(kinds)}{hint}")
    for name in cameras:
        if wanted in ("", name, name.rpartition(".")[2]):
            return name
    raise UserError(f"{root} has no camera {wanted!r}; there are {', '.join(cameras)}")


def _read_episodes(root: Path, info: dict[str, Any], camera: str) -> list[Episode]:
    files = sorted((root / "meta" / "episodes").rglob("*.parquet"))
    if not files:
        raise UserError(f"{root} has no meta/episodes/*.parquet; download the set again")
    table = Table(files)
    of = f"videos/{camera}/"
    names = [
        "episode_index",
        "length",
        f"{of}chunk_index",
        f"{of}file_index",
        f"{of}from_timestamp",
        "dataset_from_index",
    ]
    if missing := [name for name in names if name not in table.schema.names]:
        raise UserError(f"{files[0]} lacks {', '.join(missing)}; the set is not whole")
    template = (
        info.get("video_path") or "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
    )
    found = []
    for number, length, chunk, file, since, first in zip(*(table.whole(name) for name in names), strict=True):
        found.append(
            Episode(
                number,
                length,
                root / template.format(video_key=camera, chunk_index=chunk, file_index=file),
                float(since),
                first,
            )
        )
    said = info.get("total_episodes", len(found))
    if said != len(found):
        raise UserError(
            f"{root / 'meta' / 'info.json'} says {said} episodes, meta/episodes has {len(found)}; download the set again"
        )
    return sorted(found, key=lambda one: one.number)


def _check(config: LeRobotConfig) -> None:
    check_looks(config.image_size, config.channels, config.fit)
    if not config.path or not Path(config.path).is_dir():
        raise UserError(f"a LeRobot data set is a folder, and {config.path or 'nothing'!r} is none")
    check_held_out(config.held_out)
    if min(config.frames, config.skip) < 1 or config.stride < 0:
        raise UserError(
            f"clips of {config.frames} frames, every {config.skip}, with stride {config.stride} cannot be"
        )
