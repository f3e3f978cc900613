"""A fixed camera over a generated junction: cars, vans, trucks and buses that queue, turn and hide each
other, as pictures or clips, with the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import SPLITS, Dataset, Split
from motes.data.kept import TOGETHER, Drawn
from motes.data.truth_from_masks import boxes_of
from motes.data.worlds.portable import grey, uniforms
from motes.data.worlds.roads.daylight import daylight
from motes.data.worlds.roads.traffic_camera import FAR
from motes.data.worlds.roads.traffic_drawing import Fleet, Sprite, draw
from motes.data.worlds.roads.traffic_flow import Flow, flow
from motes.data.worlds.roads.traffic_place import FINER, place_of
from motes.data.worlds.roads.vehicles import SIZES, paints
from motes.errors import UserError
from motes.types.truth import Truth

CLIPS = 100  # clips simulated at once; part of what the pixels depend on


@dataclass(frozen=True)
class TrafficConfig:
    """One camera; in each clip other vehicles, another hour, other weather."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey
    channels: int = 3
    # training pictures; of clips, all their frames
    count: int = 20000
    # pictures of the validation split, and of the test split
    held_out: int = 1000
    # of a clip: row // frames is the clip, row % frames the time
    frames: int = 1
    # from one frame of a clip to the next
    seconds: float = 0.3
    # fewest and most of a clip; not all are in sight at all times
    vehicles: tuple[int, int] = (7, 16)
    # of the day, first and last
    hours: tuple[float, float] = (5.5, 21.0)
    # which junction: its camera, buildings, hedges and trees
    place: int = 0
    seed: int = 0


class Traffic(Dataset):
    """Everything is a function of (seed, split, row): no file, the same pixels on any machine."""

    Config = TrafficConfig

    def __init__(self, config: TrafficConfig, split: Split = "train"):
        if config.channels not in (1, 3):
            raise UserError(f"traffic has 1 or 3 channels, not {config.channels}")
        if min(config.count, config.held_out, config.frames) < 1:
            raise UserError(
                f"count {config.count}, held_out {config.held_out} and frames {config.frames} must all be at least 1"
            )
        if min(config.count, config.held_out) < config.frames:
            raise UserError(
                f"count {config.count} and held_out {config.held_out} must hold at least one clip of {config.frames} frames"
            )
        if not 1 <= config.vehicles[0] <= config.vehicles[1] <= 40:
            raise UserError(
                f"vehicles {config.vehicles} must be the fewest and the most, such as 7 16, and at most 40"
            )
        if not 0.1 <= config.seconds <= 10:
            raise UserError(f"seconds {config.seconds} from frame to frame must be 0.1 to 10")
        if min(config.image_size) < 16:
            raise UserError(f"a junction of {config.image_size} pixels cannot be drawn; try image_size 64 64")
        if not 0 <= config.hours[0] <= config.hours[1] <= 24:
            raise UserError(f"hours {config.hours} must be the first and the last of a day, such as 5.5 21")
        self.config = config
        self.split = split
        self._count = (config.count if split == "train" else config.held_out) // config.frames * config.frames
        self._flows: dict[int, tuple[Flow, dict[str, np.ndarray]]] = {}
        self._drawn = Drawn(self._pixels)

    def __len__(self) -> int:
        return self._count

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._drawn(rows)[0]

    def _pixels(self, rows: list[int]) -> tuple[np.ndarray]:
        pixels = self._draw(rows)[0]
        return (pixels if self.config.channels == 3 else grey(pixels),)

    def truth(self, rows: Sequence[int]) -> Truth:
        rows = [int(row) for row in rows]
        parts = [self._draw(rows[first : first + TOGETHER]) for first in range(0, len(rows), TOGETHER)]
        most = self.config.vehicles[1]
        seen, whole = (
            np.concatenate(found)
            for found in zip(*(_masks(part[1], part[2], part[3], most) for part in parts), strict=True)
        )
        fleet, clip = self._fleet(rows)
        eye = place_of(self.config.image_size, self.config.place).eye
        middle = np.stack([fleet.x, fleet.y, SIZES[fleet.kind, 2] / 2], -1)
        column, row, depth = eye.project(middle)
        height, width = self.config.image_size
        centre = (
            np.stack(
                [((row + 0.5) / FINER - 0.5) / (height - 1), ((column + 0.5) / FINER - 0.5) / (width - 1)], -1
            )
            * 2
            - 1
        )

        def slots(values: np.ndarray) -> torch.Tensor:
            table = np.zeros(
                (len(rows), most, *values.shape[1:]), values.dtype if values.dtype == np.int64 else np.float32
            )
            table[fleet.frame, fleet.slot] = values
            return torch.from_numpy(table)

        factors = {
            "colour": fleet.body,
            "kind": fleet.kind,
            "size": SIZES[fleet.kind],
            "depth": depth,
            "heading": np.stack([fleet.east, fleet.north], -1),
        }
        return Truth(
            present=torch.from_numpy(seen.any((2, 3))),
            centres=slots(centre),
            boxes=torch.from_numpy(boxes_of(seen)),
            masks=torch.from_numpy(seen),
            whole=torch.from_numpy(whole),
            factors={name: slots(value) for name, value in factors.items()},
            scene={name: torch.from_numpy(value.astype(np.float32)) for name, value in clip.items()},
        )

    def _draw(self, rows: Sequence[int]) -> tuple[np.ndarray, np.ndarray, list[Sprite], Fleet]:
        fleet, clip = self._fleet(rows)
        place = place_of(self.config.image_size, self.config.place)
        return (*draw(place, fleet, (clip["sky"], clip["sun"], clip["direction"])), fleet)

    def _fleet(self, rows: Sequence[int]) -> tuple[Fleet, dict[str, np.ndarray]]:
        """The vehicles of these pictures, and what is one for a picture."""
        found: list[list[np.ndarray]] = []
        scenes = []
        for number, row in enumerate(rows):
            clip, time = divmod(row, self.config.frames)
            moves, numbers = self._flow(clip // CLIPS)
            at = clip % CLIPS
            slot = np.flatnonzero(moves.there[at])
            moving = [part[at, time, slot] for part in (moves.x, moves.y, moves.east, moves.north)]
            found.append(
                [
                    np.full(len(slot), number),
                    slot,
                    moves.kind[at, slot],
                    numbers["body"][at, slot],
                    numbers["second"][at, slot],
                    *moving,
                ]
            )
            scenes.append((numbers["hour"][at] + time * self.config.seconds / 3600, numbers["clouds"][at]))
        hour, clouds = (np.array(values) for values in zip(*scenes, strict=True))
        sky, sun, direction = daylight(hour, clouds)
        scene = {
            "hour": hour,
            "clouds": clouds,
            "sky": sky,
            "sun": sun,
            "direction": direction,
            "light": sky + sun,
        }
        return Fleet(*(np.concatenate(parts) for parts in zip(*found, strict=True))), scene

    def _flow(self, number: int) -> tuple[Flow, dict[str, np.ndarray]]:
        if number not in self._flows:
            config = self.config
            split = SPLITS.index(self.split)
            ways, looks = (
                np.random.default_rng(np.random.SeedSequence([config.seed, split, number, n]))
                for n in range(2)
            )
            moves = flow(ways, CLIPS, config.vehicles, config.frames, config.seconds)
            body, second = (
                part.reshape(*moves.kind.shape, 3) for part in paints(looks, moves.kind.size, moves.kind)
            )
            weather = uniforms(looks, CLIPS, {"hour": config.hours, "clouds": (-1.4, 1.0)})
            self._flows[number] = (
                moves,
                {
                    "body": body,
                    "second": second,
                    "hour": weather["hour"],
                    "clouds": np.maximum(weather["clouds"], 0),
                },
            )
        return self._flows[number]


def _masks(who: np.ndarray, sprites: list[Sprite], fleet: Fleet, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Visible and whole, B N H W: where at least half of a pixel is the vehicle's, and of what is visible no
    other has more."""
    alone = np.zeros((len(who), most, *who.shape[1:]), bool)
    for one, frame, slot in zip(sprites, fleet.frame, fleet.slot, strict=True):
        cut = slice(one.top, one.top + one.depth.shape[0]), slice(one.left, one.left + one.depth.shape[1])
        alone[frame, slot][cut] = one.depth < FAR
    number = np.arange(1, most + 1, dtype=np.uint8)[None, :, None, None]
    mine = _quarters(who[:, None] == number)
    best = np.argmax(mine, 1)[:, None] + 1 == number
    return best & (mine >= 2), _quarters(alone) >= 2


def _quarters(fine: np.ndarray) -> np.ndarray:
    """How many of its canvas pixels are, for each pixel."""
    tall = fine[..., ::2, :].astype(np.uint8) + fine[..., 1::2, :]
    return tall[..., ::2] + tall[..., 1::2]
