"""Generated scenes like CLEVR's: spheres, boxes and cylinders of rubber and metal on a floor, under a lamp,
with the truth in 3D.

The published counts and sizes: 3 to 6 things (7 to 10 to see whether a model generalises: `objects`), two
sizes, two materials, eight colours, a camera and a lamp that move a little. Nothing stands in another, and
nothing wholly behind another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import Split
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated, to_bytes
from motes.data.worlds.solid.raycast import paint, trace
from motes.data.worlds.solid.solids import BOX, Solids
from motes.data.worlds.solid.tabletop import (
    COLOURS,
    POINTS,
    Camera,
    make_camera,
    on_screen,
    truth_of,
    view_of,
)
from motes.errors import UserError
from motes.types.truth import Truth

SIZES = np.array([0.35, 0.7])
# things stand within so much of the middle, and at least so far from each other
FIELD = 3.0
GAP = 0.25
INSIDE = 0.86  # share of the half picture in which centres lie
# radii on the screen by which two centres differ across; so many times more up and down, since things have
# height
HIDDEN = 1.0
TALL = 1.35
SHAKE = 0.5  # of camera and lamp
# places tried for a thing; scenes begun
TRIES = 40
ROUNDS = 200


@dataclass(frozen=True)
class ScenesConfig:
    """Things stand apart, in view, and may hide each other in part."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey
    channels: int = 3
    # training pictures
    count: int = 50000
    # pictures of the validation split, and of the test split
    held_out: int = 1000
    # fewest and most; 7 10 to see what a model makes of more than it learnt from
    objects: tuple[int, int] = (3, 6)
    # rays a pixel's side
    fine: int = 2
    # another seed, other pictures
    seed: int = 0


class Scenes(Generated):
    """One lamp with hard shadows, a weak one without, bright surroundings that metal mirrors."""

    Config = ScenesConfig

    def __init__(self, config: ScenesConfig, split: Split = "train"):
        self.area = POINTS // max(config.fine, 1) ** 2
        super().__init__(config, split)
        if not 1 <= config.objects[0] <= config.objects[1] <= 10:
            raise UserError(
                f"objects {config.objects} must be the fewest and the most, 10 at most, such as 3 6"
            )
        if not 1 <= config.fine <= 8:
            raise UserError(f"fine must be from 1 to 8 rays a pixel's side, not {config.fine}")

    def truth(self, rows: Sequence[int]) -> Truth:
        scene, camera = self._scene(self._dice(self._checked(rows)))
        factors = {"colour": self._colours(COLOURS[scene["colour"]])}
        return truth_of(_solids(scene), camera, factors, self.config.image_size, self.config.fine)

    def _paint(self, rows: np.ndarray) -> np.ndarray:
        scene, camera = self._scene(self._dice(rows))
        solids = _solids(scene)
        view = view_of(camera, self.config.image_size, self.config.fine)
        return to_bytes(paint(solids, view, trace(solids, view)).permute(0, 2, 3, 1).numpy())

    def _scene(self, dice: Dice) -> tuple[dict[str, np.ndarray], Camera]:
        most = self.config.objects[1]
        camera = make_camera(dice, SHAKE)
        scene = {
            "there": np.arange(most) < dice.integers("count", self.config.objects[0], most)[:, None],
            "kind": dice.integers("shape", 0, 2, most),
            "radius": SIZES[dice.integers("size", 0, 1, most)],
            "metal": dice.integers("material", 0, 1, most) == 1,
            "colour": dice.integers("colour", 0, len(COLOURS) - 1, most),
            "turn": dice.directions("orientation", most),
            "place": np.zeros((len(dice), most, 2)),
        }
        open_ = np.arange(len(dice))
        for attempt in range(ROUNDS):
            if not len(open_):
                break
            part = {name: value[open_] for name, value in scene.items()}
            done = self._placed(
                dice.of(open_), attempt, part, {name: value[open_] for name, value in camera.items()}
            )
            scene["place"][open_] = part["place"]
            open_ = open_[~done]
        if len(open_):
            raise UserError(
                f"{most} things hardly fit a picture of {self.config.image_size}; ask for fewer objects"
            )
        return scene, camera

    def _placed(self, dice: Dice, attempt: int, scene: dict[str, np.ndarray], camera: Camera) -> np.ndarray:
        """One thing after another at the first place that will do; whether all found one. `place` of the
        scene is filled."""
        size = self.config.image_size
        radius = scene["radius"]
        place = scene["place"]
        done = np.ones(len(dice), bool)
        half = np.array(size) / 2
        picture = np.arange(len(dice))
        where = np.zeros((len(dice), radius.shape[1], 3))  # on the screen
        for n in range(radius.shape[1]):
            tried = dice.between(f"place {attempt} {n}", -FIELD, FIELD, TRIES, 2)
            height = np.broadcast_to(
                _half(scene["kind"][:, n], radius[:, n])[:, None, None], (len(dice), TRIES, 1)
            )
            screen = on_screen(np.concatenate([tried, height], -1), camera, size)
            good = np.asarray((np.abs(screen[..., :2] / half - 1) < INSIDE).all(-1))
            for other in range(n):
                apart = (
                    _square(tried - place[:, None, other])
                    >= (radius[:, n] + radius[:, other] + GAP)[:, None] ** 2
                )
                behind = np.maximum(screen[..., 2], where[:, None, other, 2])
                blurred = (
                    np.maximum(radius[:, n], radius[:, other])[:, None] * HIDDEN * min(size) / 0.58 / behind
                )
                clear = (
                    _square((screen[..., :2] - where[:, None, other, :2]) / np.array([TALL, 1]))
                    >= blurred * blurred
                )
                good &= (apart & clear) | ~scene["there"][:, None, other]
            chosen = good.argmax(1)
            place[:, n] = tried[picture, chosen]
            where[:, n] = screen[picture, chosen]
            done &= np.asarray(good.any(1)) | ~scene["there"][:, n]
        return done


def _half(kind: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Half the height."""
    return np.where(kind == BOX, radius * 0.7071067690849304, radius)


def _solids(scene: dict[str, np.ndarray]) -> Solids:
    height = _half(scene["kind"], scene["radius"])[..., None]
    centre, radius, turn = (
        torch.from_numpy(value.astype(np.float32))
        for value in (np.concatenate([scene["place"], height], -1), scene["radius"], scene["turn"])
    )
    colour = torch.from_numpy(COLOURS[scene["colour"]].astype(np.float32) / 255)
    return Solids(
        centre,
        radius,
        torch.from_numpy(scene["kind"]),
        turn,
        colour,
        *(torch.from_numpy(scene[n]) for n in ("metal", "there")),
    )


def _square(apart: np.ndarray) -> np.ndarray:
    return apart[..., 0] * apart[..., 0] + apart[..., 1] * apart[..., 1]
