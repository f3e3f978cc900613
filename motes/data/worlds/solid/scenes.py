"""Generated scenes like CLEVR's: spheres, boxes and cylinders of rubber and metal on a floor, under a lamp,
with the truth in 3D.

Counts and sizes are the published ones: 3 to 6 solids (7 to 10 to test whether a model generalises: option
`objects`), two sizes, two materials, eight colours, a camera and a lamp that move a little from scene to
scene. No solid stands in another, and none is completely behind another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import Split
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated
from motes.data.worlds.portable import Array
from motes.data.worlds.solid import tabletop
from motes.data.worlds.solid.plane import squared_length
from motes.data.worlds.solid.solids import Solids, half_heights
from motes.data.worlds.solid.tabletop import COLOURS, RAYS, ZOOM, Camera, make_camera, on_screen
from motes.errors import UserError
from motes.types.truth import Truth

Scene = dict[str, Array]  # the properties of the solids by name, B N or B N 2
SIZES = np.array([0.35, 0.7])
# solids stand within so much of the middle, and at least so far from each other
FIELD = 3.0
GAP = 0.25
INSIDE = 0.86  # share of the half picture in which centres lie
# least distance of two centres on the screen across, in radii; up and down it is TALL times as large, since
# solids have height
HIDDEN = 1.0
TALL = 1.35
SHAKE = 0.5  # of camera and lamp
# positions tried for a solid; scenes begun
TRIES = 40
ROUNDS = 200


@dataclass(frozen=True)
class ScenesConfig:
    """Solids stand apart and in view; one may hide another in part."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey, 3: colours
    channels: int = 3
    # training pictures
    count: int = 50000
    # pictures of the validation split, and of the test split
    held_out: int = 1000
    # fewest and most solids; 7 10 to test a model on more solids than it was trained on
    objects: tuple[int, int] = (3, 6)
    # rays along a pixel's side
    fine: int = 2
    # another seed, other pictures
    seed: int = 0


class Scenes(Generated):
    """Pictures of solids under one lamp with hard shadows and a weak one without.

    Metal mirrors its bright surroundings.
    """

    Config = ScenesConfig

    def __init__(self, config: ScenesConfig, split: Split = "train"):
        self.area = RAYS // max(config.fine, 1) ** 2
        super().__init__(config, split)
        if not 1 <= config.objects[0] <= config.objects[1] <= 10:
            raise UserError(
                f"objects {config.objects} must be the fewest and the most, 10 at most, such as 3 6"
            )
        tabletop.check_fine(config.fine)

    def truth(self, rows: Sequence[int]) -> Truth:
        scene, camera = self._scene(self._dice(self._checked(rows)))
        factors = {"colour": self._colours(COLOURS[scene["colour"]])}
        return tabletop.truth_of_solids(_solids(scene), camera, factors, self.config)

    def _paint(self, rows: Array) -> Array:
        scene, camera = self._scene(self._dice(rows))
        return tabletop.picture_of_solids(_solids(scene), camera, self.config)

    def _scene(self, dice: Dice) -> tuple[Scene, Camera]:
        """Random scenes and their cameras; a scene is begun again until all of its solids have a position."""
        camera = make_camera(dice, SHAKE)
        scene = self._properties(dice)
        open_rows = np.arange(len(dice))
        for attempt in range(ROUNDS):
            if not len(open_rows):
                break
            part = _rows_of(scene, open_rows)
            done = self._place_all(dice.of(open_rows), attempt, part, _rows_of(camera, open_rows))
            scene["position"][open_rows] = part["position"]
            open_rows = open_rows[~done]
        if len(open_rows):
            raise UserError(
                f"{self.config.objects[1]} things hardly fit a picture of {self.config.image_size}; "
                "ask for fewer objects"
            )
        return scene, camera

    def _properties(self, dice: Dice) -> Scene:
        """The properties of random solids; their positions are zero until they are placed."""
        most = self.config.objects[1]
        return {
            "present": np.arange(most) < dice.integers("count", self.config.objects[0], most)[:, None],
            "kind": dice.integers("shape", 0, 2, most),
            "radius": SIZES[dice.integers("size", 0, 1, most)],
            "metal": dice.integers("material", 0, 1, most) == 1,
            "colour": dice.integers("colour", 0, len(COLOURS) - 1, most),
            "turn": dice.directions("orientation", most),
            "position": np.zeros((len(dice), most, 2)),
        }

    def _place_all(self, dice: Dice, attempt: int, scene: Scene, camera: Camera) -> Array:
        """Put one solid after another at the first position that is free; `position` of the scene is filled.

        Returns whether all solids of each scene have a position, B.
        """
        count, number = scene["radius"].shape
        picture = np.arange(count)
        screen = np.zeros((count, number, 3))
        complete = np.ones(count, bool)
        for n in range(number):
            position = dice.between(f"place {attempt} {n}", -FIELD, FIELD, TRIES, 2)
            candidate = self._projected(position, _half_height(scene)[:, n], camera)
            free = self._free(n, position, candidate, scene, screen)
            first = free.argmax(1)
            scene["position"][:, n] = position[picture, first]
            screen[:, n] = candidate[picture, first]
            complete &= np.asarray(free.any(1)) | ~scene["present"][:, n]
        return complete

    def _projected(self, position: Array, half_height: Array, camera: Camera) -> Array:
        """Candidate positions on the floor, B T 2, projected to the screen, B T 3."""
        height = np.broadcast_to(half_height[:, None, None], (*position.shape[:2], 1))
        return on_screen(np.concatenate([position, height], -1), camera, self.config.image_size)

    def _free(self, n: int, position: Array, candidate: Array, scene: Scene, screen: Array) -> Array:
        """Whether solid n can stand at each candidate, B T.

        It must be in view, apart from the solids before it, and not hidden by them or hiding them.
        """
        half = np.array(self.config.image_size) / 2
        free = np.asarray((np.abs(candidate[..., :2] / half - 1) < INSIDE).all(-1))
        for m in range(n):
            larger = np.maximum(scene["radius"][:, n], scene["radius"][:, m])
            visible = _visible_beside(candidate, screen[:, m], larger * HIDDEN * min(self.config.image_size))
            free &= (_distant(scene, n, m, position) & visible) | ~scene["present"][:, None, m]
        return free


def _distant(scene: Scene, n: int, m: int, position: Array) -> Array:
    """Whether solid n, if it stood at each of these candidates, would stand apart from solid m; B T."""
    gap = (scene["radius"][:, n] + scene["radius"][:, m] + GAP)[:, None]
    return np.asarray(squared_length(position - scene["position"][:, None, m]) >= gap**2)


def _visible_beside(candidate: Array, screen: Array, radius: Array) -> Array:
    """Whether candidates, B T 3, are so far on the screen from a solid at `screen`, B 3, that neither hides
    the other.

    `radius`, B, is that of the larger solid, times the pixels of the picture's shorter side.
    """
    farther = np.maximum(candidate[..., 2], screen[:, None, 2])
    reach = radius[:, None] / (2 * ZOOM) / farther
    offset = (candidate[..., :2] - screen[:, None, :2]) / np.array([TALL, 1])
    return np.asarray(squared_length(offset) >= reach * reach)


def _rows_of(arrays: dict[str, Array], rows: Array) -> dict[str, Array]:
    return {name: value[rows] for name, value in arrays.items()}


def _half_height(scene: Scene) -> Array:
    return half_heights(scene["kind"], scene["radius"])


def _solids(scene: Scene) -> Solids:
    centre = np.concatenate([scene["position"], _half_height(scene)[..., None]], -1)
    return Solids(
        centre=_tensor(centre),
        radius=_tensor(scene["radius"]),
        kind=torch.from_numpy(scene["kind"]),
        turn=_tensor(scene["turn"]),
        colour=tabletop.colours_of(scene["colour"]),
        metal=torch.from_numpy(scene["metal"]),
        present=torch.from_numpy(scene["present"]),
    )


def _tensor(values: Array) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32))
