"""Generated traffic before a fixed camera over a junction, as pictures or clips, with the truth.

Cars, vans, trucks and buses queue, turn and hide each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import SPLITS, Dataset, Split
from motes.data.kept import TOGETHER, RowCache
from motes.data.truth_from_masks import boxes_of
from motes.data.worlds.portable import Array, grey_planes, uniforms
from motes.data.worlds.roads.daylight import daylight
from motes.data.worlds.roads.fleet import Fleet, Light
from motes.data.worlds.roads.junction import FINER, junction_of
from motes.data.worlds.roads.traffic_camera import FAR
from motes.data.worlds.roads.traffic_drawing import draw_traffic
from motes.data.worlds.roads.traffic_flow import Flow, flow, ways_ahead
from motes.data.worlds.roads.vehicle_drawing import Sprite
from motes.data.worlds.roads.vehicles import SIZES, vehicle_colours
from motes.errors import UserError
from motes.types.truth import Truth

# clips simulated at once; pixels depend on it
CLIPS = 100


@dataclass(frozen=True)
class TrafficConfig:
    """One camera for all clips; each clip has other vehicles, another hour and other weather."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey, 3: colours
    channels: int = 3
    # training pictures; of clips, all their frames
    count: int = 20000
    # pictures of the validation split, and of the test split
    held_out: int = 1000
    # frames of a clip: row // frames is the clip, row % frames the time
    frames: int = 1
    # seconds from one frame of a clip to the next
    seconds: float = 0.3
    # fewest and most vehicles of a clip; not all are in sight at all times
    vehicles: tuple[int, int] = (7, 16)
    # first and last hour of the day
    hours: tuple[float, float] = (5.5, 21.0)
    # which junction: its camera, buildings, hedges and trees
    place: int = 0
    # another seed gives other pictures
    seed: int = 0


class Traffic(Dataset):
    """Pictures of traffic. Each is a function of (seed, split, row): no file, the same pixels on any
    machine."""

    Config = TrafficConfig

    def __init__(self, config: TrafficConfig, split: Split = "train"):
        _check(config)
        self.config = config
        self.split = split
        self._count = (config.count if split == "train" else config.held_out) // config.frames * config.frames
        self._flows: dict[int, tuple[Flow, dict[str, Array]]] = {}
        self._drawn = RowCache(self._pixels)

    def __len__(self) -> int:
        return self._count

    def pixels(self, rows: Sequence[int]) -> Array:
        return self._drawn(rows)[0]

    def _pixels(self, rows: list[int]) -> tuple[Array]:
        pixels = self._draw(rows)[0]
        return (pixels if self.config.channels == 3 else grey_planes(pixels),)

    def truth(self, rows: Sequence[int]) -> Truth:
        rows = [int(row) for row in rows]
        visible, whole = self._masks(rows)
        fleet, scene = self._fleet(rows)
        centres, depth = self._centres(fleet)
        factors = {
            "colour": fleet.body,
            "kind": fleet.kind,
            "size": SIZES[fleet.kind],
            "depth": depth,
            "heading": np.stack([fleet.east, fleet.north], -1),
        }
        shape = visible.shape[:2]
        return Truth(
            present=torch.from_numpy(visible.any((2, 3))),
            centres=_by_slot(centres, fleet, shape),
            boxes=torch.from_numpy(boxes_of(visible)),
            masks=torch.from_numpy(visible),
            whole=torch.from_numpy(whole),
            factors={name: _by_slot(value, fleet, shape) for name, value in factors.items()},
            scene={name: torch.from_numpy(value.astype(np.float32)) for name, value in scene.items()},
        )

    def places(self, rows: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """The middles of the vehicles, N V 2, and which of them there are, N V; no picture is drawn, so it is not
        known which are in sight."""
        fleet, _ = self._fleet(rows)
        shape = (len(rows), self.config.vehicles[1])
        exists = np.zeros(shape, bool)
        exists[fleet.frame, fleet.slot] = True
        return _by_slot(self._centres(fleet)[0], fleet, shape), torch.from_numpy(exists)

    def ways(self, rows: Sequence[int]) -> torch.Tensor:
        """Points along the ways over the junction that each vehicle may still take, left, ahead and right: N V 3 P 2.

        They are (row, column) in [-1, 1], and not a number where a vehicle has no choice any more.
        """
        fleet, _ = self._fleet(rows)
        clips = [divmod(row // self.config.frames, CLIPS) for row in rows]
        arms = np.stack([self._flow(block)[0].arm[number] for block, number in clips])
        x, y = ways_ahead(fleet.x, fleet.y, arms[fleet.frame, fleet.slot])
        height = np.broadcast_to(SIZES[fleet.kind, 2][:, None, None] / 2, x.shape)
        table = np.full((*arms.shape, *x.shape[1:], 2), np.nan, np.float32)
        table[fleet.frame, fleet.slot] = self._points(x, y, height)[0]
        return torch.from_numpy(table)

    def _masks(self, rows: list[int]) -> tuple[Array, Array]:
        """The visible and the whole masks of the vehicles in these rows, B N H W each."""
        masks = []
        for first in range(0, len(rows), TOGETHER):
            _, slots, sprites, fleet = self._draw(rows[first : first + TOGETHER])
            most = self.config.vehicles[1]
            masks.append((_visible(slots, most), _whole(slots.shape, sprites, fleet, most)))
        visible, whole = zip(*masks, strict=True)
        return np.concatenate(visible), np.concatenate(whole)

    def _centres(self, fleet: Fleet) -> tuple[Array, Array]:
        """Where the middles of the vehicles are in the picture, V 2 in [-1, 1], and their depths, V."""
        return self._points(fleet.x, fleet.y, SIZES[fleet.kind, 2] / 2)

    def _points(self, x: Array, y: Array, z: Array) -> tuple[Array, Array]:
        """Where points in metres are in the picture, ... 2 in [-1, 1], and their depths."""
        eye = junction_of(self.config.image_size, self.config.place).eye
        column, row, depth = eye.project(np.stack([x, y, z], -1))
        pixels = zip((row, column), self.config.image_size, strict=True)
        parts = [((canvas + 0.5) / FINER - 0.5) / (side - 1) for canvas, side in pixels]
        return np.stack(parts, -1) * 2 - 1, depth

    def _draw(self, rows: Sequence[int]) -> tuple[Array, Array, list[Sprite], Fleet]:
        """Draw pictures: returns them, the slots of their canvas pixels, the vehicles drawn alone, and the
        vehicles."""
        fleet, scene = self._fleet(rows)
        junction = junction_of(self.config.image_size, self.config.place)
        light = Light(*(scene[name].astype(np.float32) for name in ("sky", "sun", "direction")))
        return (*draw_traffic(junction, fleet, light), fleet)

    def _fleet(self, rows: Sequence[int]) -> tuple[Fleet, dict[str, Array]]:
        """The vehicles of these pictures, and the arrays that describe each picture."""
        fleets: list[list[Array]] = []
        scenes = []
        for picture, row in enumerate(rows):
            clip, time = divmod(row, self.config.frames)
            moves, looks = self._flow(clip // CLIPS)
            number = clip % CLIPS
            fleets.append(_fleet_of(picture, moves, looks, number, time))
            hour = looks["hour"][number] + time * self.config.seconds / 3600
            scenes.append((hour, looks["clouds"][number]))
        hours, clouds = (np.array(values) for values in zip(*scenes, strict=True))
        return Fleet(*(np.concatenate(parts) for parts in zip(*fleets, strict=True))), _scene(hours, clouds)

    def _flow(self, number: int) -> tuple[Flow, dict[str, Array]]:
        """The motion of the vehicles in a block of CLIPS clips, and the looks of these vehicles and days."""
        if number not in self._flows:
            self._flows[number] = self._simulated(number)
        return self._flows[number]

    def _simulated(self, number: int) -> tuple[Flow, dict[str, Array]]:
        config = self.config
        seeds = [config.seed, SPLITS.index(self.split), number]
        move_random, look_random = (
            np.random.default_rng(np.random.SeedSequence([*seeds, part])) for part in range(2)
        )
        moves = flow(move_random, CLIPS, config.vehicles, config.frames, config.seconds)
        colours = vehicle_colours(look_random, moves.kind.size, moves.kind)
        body, second = (colour.reshape(*moves.kind.shape, 3) for colour in colours)
        weather = uniforms(look_random, CLIPS, {"hour": config.hours, "clouds": (-1.4, 1.0)})
        clouds = np.maximum(weather["clouds"], 0)
        return moves, {"body": body, "second": second, "hour": weather["hour"], "clouds": clouds}


def _check(config: TrafficConfig) -> None:
    if config.channels not in (1, 3):
        raise UserError(f"traffic has 1 or 3 channels, not {config.channels}")
    _check_counts(config)
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


def _check_counts(config: TrafficConfig) -> None:
    if min(config.count, config.held_out, config.frames) < 1:
        raise UserError(
            f"count {config.count}, held_out {config.held_out} and frames {config.frames} "
            "must all be at least 1"
        )
    if min(config.count, config.held_out) < config.frames:
        raise UserError(
            f"count {config.count} and held_out {config.held_out} "
            f"must hold at least one clip of {config.frames} frames"
        )


def _fleet_of(picture: int, moves: Flow, looks: dict[str, Array], clip: int, time: int) -> list[Array]:
    """The columns of a Fleet for one picture, with the vehicles of one clip at one time."""
    slot = np.flatnonzero(moves.present[clip])
    looks_of_slots = [values[clip, slot] for values in (moves.kind, looks["body"], looks["second"])]
    motion = [values[clip, time, slot] for values in (moves.x, moves.y, moves.east, moves.north)]
    return [np.full(len(slot), picture), slot, *looks_of_slots, *motion]


def _scene(hour: Array, clouds: Array) -> dict[str, Array]:
    sky, sun, direction = daylight(hour, clouds)
    return {
        "hour": hour,
        "clouds": clouds,
        "sky": sky,
        "sun": sun,
        "direction": direction,
        "light": sky + sun,
    }


def _by_slot(values: Array, fleet: Fleet, shape: tuple[int, ...]) -> torch.Tensor:
    """Values of vehicles, V ..., in a table of pictures and slots, B N ...; zeros where a slot has no
    vehicle."""
    dtype = values.dtype if values.dtype == np.int64 else np.float32
    table = np.zeros((*shape, *values.shape[1:]), dtype)
    table[fleet.frame, fleet.slot] = values
    return torch.from_numpy(table)


def _visible(slots: Array, most: int) -> Array:
    """bool, B N H W: at least half of a pixel is the vehicle's, and no other vehicle has more of it."""
    number = np.arange(1, most + 1, dtype=np.uint8)[None, :, None, None]
    share = _quarters(slots[:, None] == number)
    return (np.argmax(share, 1)[:, None] + 1 == number) & (share >= 2)


def _whole(shape: tuple[int, ...], sprites: list[Sprite], fleet: Fleet, most: int) -> Array:
    """bool, B N H W: at least half of a pixel is the vehicle's, as if it were alone; `shape` is B h w."""
    alone = np.zeros((shape[0], most, *shape[1:]), bool)
    for sprite, frame, slot in zip(sprites, fleet.frame, fleet.slot, strict=True):
        alone[frame, slot][sprite.window] = sprite.depth < FAR
    return _quarters(alone) >= 2


def _quarters(mask: Array) -> Array:
    """How many of the four canvas pixels in each pixel are in the mask."""
    tall = mask[..., ::2, :].astype(np.uint8) + mask[..., 1::2, :]
    return tall[..., ::2] + tall[..., 1::2]
