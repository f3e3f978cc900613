"""Generated pictures and films of an animal with joints, seen from above or from the side, and their truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from motes.data.base import SPLITS, Split
from motes.data.truth_from_masks import boxes_of, centres_of, seen_of
from motes.data.worlds.animals.body import SHADOW_EDGE, Body, DrawnAnimals, body_of, cast_shadows, drawn
from motes.data.worlds.animals.build import are_dark, builds
from motes.data.worlds.animals.camera import AnimalCamera, cameras
from motes.data.worlds.animals.ground import grounds, in_front, lamps, uneven_light
from motes.data.worlds.animals.pose import Joints, joints_of, poses, travelled
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated, normalised, to_bytes
from motes.data.worlds.portable import Array, keep_memory
from motes.data.worlds.spoiled import spoiled
from motes.errors import UserError
from motes.types.truth import Truth

# the points of the truth: the joint where each is, and whose radius lies above it
POINTS = {
    "nose": ("nose", "muzzle"),
    "left ear": ("left ear", "ear"),
    "right ear": ("right ear", "ear"),
    "neck": ("neck", "skull"),
    "left shoulder": ("left fore root", "chest"),
    "right shoulder": ("right fore root", "chest"),
    "left fore paw": ("left fore paw", "paw"),
    "right fore paw": ("right fore paw", "paw"),
    "middle": ("middle", "belly"),
    "left hip": ("left hind root", "hip"),
    "right hip": ("right hind root", "hip"),
    "left hind paw": ("left hind paw", "paw"),
    "right hind paw": ("right hind paw", "paw"),
    "tail base": ("tail 0", "hip"),
    "tail middle": ("tail 3", "tail root"),
    "tail tip": ("tail 6", "tail root"),
}
# of a frame: how long the shutter is open
EXPOSURE = 0.5
# how dark a shadow is where no light comes from other sides
SHADOW = 0.9
# share of the light that comes from all sides
AMBIENT = (0.3, 0.8)
# a point that lies deeper under the surface than its radius and as many lengths of a back is out of sight
UNDER = 0.05


@dataclass(frozen=True)
class AnimalConfig:
    """Several pictures, or clips, of each of many individuals. No two splits share an individual."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 3: the same grey three times
    channels: int = 1
    # training pictures; with frames above 1, clips
    count: int = 20000
    # pictures or clips of the validation split, and of the test split
    held_out: int = 1000
    # number of consecutive pictures or clips that show one individual
    views: int = 10
    # frames of a clip, in which the animal walks; 1: single pictures
    frames: int = 1
    # above: 55 to 90 degrees above the ground; side: 4 to 30
    view: Literal["above", "side"] = "above"
    # degrees by which an animal turns from facing right at most; 180: in all directions
    turn: float = 75.0
    # another seed, other individuals
    seed: int = 0


@dataclass(frozen=True)
class _Scene:
    """What a camera sees of each animal at a moment."""

    camera: AnimalCamera
    body: Body
    # the same body, laid on the ground along the light
    shadow: Body
    # where the light comes from, in the picture, B 3; and how much comes from all sides, B
    light: Array
    ambient: Array
    # how far the animal has walked, on the ground, B 2
    travel: Array
    # of the points of the truth, in pixels, with their nearness: B P 3; and how deep each lies in its part, B P
    points: Array
    depths: Array


class Animal(Generated):
    """Pictures of animals; row // frames is the number of the clip.

    `truth.points` are those of `POINTS`, by row and column, also where they are out of sight; `visible` says which are not.
    Two things may be there: the animal, and what is in front of it.
    """

    Config = AnimalConfig
    # few pictures at once
    area = 2**15

    def __init__(self, config: AnimalConfig, split: Split = "train"):
        super().__init__(config, split)
        if config.frames < 1 or config.views < 1:
            raise UserError(f"frames {config.frames} and views {config.views} must both be at least 1")
        if not 0 <= config.turn <= 180:
            raise UserError(f"turn must be from 0 to 180 degrees, not {config.turn:g}")

    def truth(self, rows: Sequence[int]) -> Truth:
        numbers = self._checked(rows)
        parts = [self._looked_at(numbers[i : i + self._chunk]) for i in range(0, len(numbers), self._chunk)]
        whole, points, visible = (np.concatenate(part) for part in zip(*parts, strict=True))
        masks = seen_of(whole)
        identity = self._individuals(numbers) * len(SPLITS) + SPLITS.index(self.split)
        return Truth(
            present=torch.from_numpy(masks.any((2, 3))),
            centres=torch.from_numpy(centres_of(whole)),
            boxes=torch.from_numpy(boxes_of(masks)),
            masks=torch.from_numpy(masks),
            whole=torch.from_numpy(whole),
            points=torch.from_numpy(points),
            factors={"depth": torch.tensor([1.0, 0.0]).expand(len(numbers), 2)},
            scene={"identity": torch.from_numpy(identity), "visible": torch.from_numpy(visible)},
        )

    def _looked_at(self, rows: Array) -> tuple[Array, Array, Array]:
        """The masks of the animals and of what is in front, B 2 H W, the points, B P 2, and which are visible, B P."""
        dice = self._clips(rows)
        size = self.config.image_size
        scene = self._scene(rows)
        ground = np.zeros((len(rows), *size), np.float32)
        surface = drawn(scene.body, ground, scene.light, scene.ambient, scene.camera.scale)
        front = in_front(dice, size)[0] > 0.5
        masks = np.stack([surface.cover > 0.5, front], 1)
        return masks, normalised(scene.points[..., :2], size), _visible(scene, surface, front)

    def _paint(self, rows: Array) -> Array:
        keep_memory()
        size = self.config.image_size
        dice = self._clips(rows)
        scene = self._scene(rows)
        surface = drawn(scene.body, self._ground(rows, scene), scene.light, scene.ambient, scene.camera.scale)
        cover, brightness = in_front(dice, size)
        picture = surface.brightness * uneven_light(dice, size)
        picture = picture + (brightness - picture) * cover
        plane = spoiled(dice, to_bytes(picture)[:, None], self._dice(rows))
        return plane[:, 0, :, :, None].repeat(3, -1)

    def _ground(self, rows: Array, scene: _Scene) -> Array:
        """The brightness behind each animal, in its shadow darker: B H W."""
        size = self.config.image_size
        # a dark animal stands on a bright ground
        is_bright = are_dark(self._dice(self._individuals(rows)))
        ground = grounds(self._clips(rows), scene.camera, self.config.view, is_bright, scene.travel, size)
        edge = (SHADOW_EDGE * scene.camera.scale)[:, None, None].astype(np.float32)
        dark = SHADOW * (1 - scene.ambient)[:, None, None] * cast_shadows(scene.shadow, edge, size)
        return (ground * (1 - dark)).astype(np.float32)

    def _clips(self, rows: Array) -> Dice:
        return self._dice(rows // self.frames)

    def _individuals(self, rows: Array) -> Array:
        return rows // (self.frames * self.config.views)

    def _scene(self, rows: Array) -> _Scene:
        dice = self._clips(rows)
        build = builds(self._dice(self._individuals(rows)))
        time = (rows % self.frames).astype(np.float64)
        pose = poses(dice, self.config.turn, time)
        joints = joints_of(build, pose)
        moved = joints_of(build, poses(dice, self.config.turn, time + EXPOSURE))
        camera = cameras(dice, self.config.view, self.config.image_size)
        light = lamps(dice)
        return _Scene(
            camera=camera,
            body=body_of(build, joints, moved, camera),
            shadow=body_of(build, _laid(joints, light), _laid(moved, light), camera),
            light=camera.turned(light[:, None])[:, 0],
            ambient=dice.between("ambient", *AMBIENT),
            travel=travelled(dice, pose),
            points=camera.pixels(np.stack([joints[joint] for joint, _ in POINTS.values()], 1)),
            depths=np.stack([build[radius] for _, radius in POINTS.values()], 1),
        )


def _laid(joints: Joints, light: Array) -> Joints:
    """Where the shadows of joints fall on the ground."""
    fall = light / light[:, 2:]
    return {name: point - fall * point[:, 2:] for name, point in joints.items()}


def _visible(scene: _Scene, surface: DrawnAnimals, front: Array) -> Array:
    """Which points lie in the picture, close under the surface, with nothing in front: B P."""
    height, width = front.shape[1:]
    row, column = (np.rint(scene.points[..., axis]).astype(np.int64) for axis in (0, 1))
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    pixel = np.arange(len(front))[:, None], row.clip(0, height - 1), column.clip(0, width - 1)
    under = surface.nearness[pixel] - scene.points[..., 2]
    return inside & ~front[pixel] & (under < (scene.depths + UNDER) * scene.camera.scale[:, None])
