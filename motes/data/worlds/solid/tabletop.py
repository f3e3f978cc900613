"""The table on which solids stand: its camera and lamp, the solids' colours, and their picture and truth."""

from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from motes.data.truth_from_masks import boxes_of
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import blanked, normalised, to_bytes
from motes.data.worlds.portable import Array
from motes.data.worlds.solid.camera_view import CameraView
from motes.data.worlds.solid.raycast import masks, trace
from motes.data.worlds.solid.shading import shaded_picture
from motes.data.worlds.solid.solids import Solids
from motes.errors import UserError
from motes.types.truth import Truth

GREY = (87, 87, 87)
RED = (173, 35, 35)
BLUE = (42, 75, 215)
GREEN = (29, 105, 20)
BROWN = (129, 74, 25)
PURPLE = (129, 38, 192)
CYAN = (41, 208, 208)
YELLOW = (255, 238, 51)
COLOURS = np.array([GREY, RED, BLUE, GREEN, BROWN, PURPLE, CYAN, YELLOW], np.uint8)
EYE = (7.48, -6.5, 5.34)
LAMP = (0.6, -6.2, 7.6)
AIM = (0.0, 0.0, 0.25)
ZOOM = 0.29  # tangent of half the camera's angle
RAYS = 2**18  # cast at once
Camera = dict[str, Array]  # eye B 3, axes B 3 3 (to the right, up, ahead), lamp B 3


@runtime_checkable
class TableConfig(Protocol):
    """The options that a configuration must have for pictures of the table."""

    @property
    def image_size(self) -> tuple[int, int]: ...

    @property
    def fine(self) -> int: ...


def check_fine(fine: int) -> None:
    if not 1 <= fine <= 8:
        raise UserError(f"fine must be from 1 to 8 rays a pixel's side, not {fine}")


def colours_of(index: Array) -> Tensor:
    """The colours with these numbers: float32, ... 3, in [0, 1]."""
    return torch.from_numpy(COLOURS[index].astype(np.float32) / 255)


def make_camera(dice: Dice, shake: float) -> Camera:
    """A camera and a lamp, each moved at random by up to `shake`; the camera looks at the middle of the
    floor."""
    eye = np.array(EYE) + dice.between("camera", -shake, shake, 3)
    lamp = np.array(LAMP) + dice.between("lamp", -shake, shake, 3)
    return {"eye": eye, "axes": _axes(_unit(np.array(AIM) - eye)), "lamp": lamp}


def _axes(ahead: Array) -> Array:
    """The unit vectors to the right, up and ahead of a camera that looks `ahead`: B 3 3."""
    x, y, _ = ahead.T
    right = _unit(np.stack([y, -x, np.zeros(len(ahead))], -1))
    return np.stack([right, np.cross(right, ahead), ahead], 1)


def make_view(camera: Camera, config: TableConfig) -> CameraView:
    eye, axes, lamp = (_tensor(camera[name]) for name in ("eye", "axes", "lamp"))
    return CameraView(eye, axes, lamp, config.image_size, ZOOM, config.fine)


def on_screen(points: Array, camera: Camera, size: tuple[int, int]) -> Array:
    """The projections of points B N 3: row and column in pixels from the picture's corner, and depth
    ahead."""
    offset = points - camera["eye"][:, None]
    right, up, ahead = (
        sum(offset[..., n] * camera["axes"][:, None, axis, n] for n in range(3)) for axis in range(3)
    )
    scale = _scale(size)
    return np.stack([size[0] / 2 - scale * up / ahead, size[1] / 2 + scale * right / ahead, ahead], -1)


def _scale(size: tuple[int, int]) -> float:
    """The number of pixels that a length of 1 across has at a distance of 1 ahead of the camera."""
    return min(size) / 2 / ZOOM


def camera_matrix(camera: Camera, size: tuple[int, int]) -> Tensor:
    """The camera as a matrix, float32, B 3 4, which maps (x, y, z, 1) to (row, column, 1) times depth.

    Row and column are in pixels; 0 is the middle of the first pixel.
    """
    right, up, ahead = camera["axes"].transpose(1, 0, 2)
    scale = _scale(size)
    row = (size[0] - 1) / 2 * ahead - scale * up
    column = (size[1] - 1) / 2 * ahead + scale * right
    rotation = np.stack([row, column, ahead], 1)
    shift = -rotation @ camera["eye"][..., None]
    return _tensor(np.concatenate([rotation, shift], -1))


def _tensor(values: Array) -> Tensor:
    """The values as a tensor of float32."""
    return torch.from_numpy(values.astype(np.float32))


def picture_of_solids(solids: Solids, camera: Camera, config: TableConfig) -> Array:
    """The pictures of solids on the table: uint8, B H W 3."""
    view = make_view(camera, config)
    return to_bytes(shaded_picture(solids, view, trace(solids, view)).permute(0, 2, 3, 1).numpy())


def truth_of_solids(solids: Solids, camera: Camera, factors: dict[str, Array], config: TableConfig) -> Truth:
    """The truth of pictures of solids: masks, centres, boxes and factors, with zeros for absent solids.

    `factors` are added to those that the solids themselves have.
    """
    screen = on_screen(solids.centre.double().numpy(), camera, config.image_size)
    visible, full = _masks(solids, make_view(camera, config))
    present = solids.present & full.flatten(2).any(2)
    depth = screen[..., 2].astype(np.float32)
    return Truth(
        present=visible.flatten(2).any(2),
        centres=torch.from_numpy(normalised(screen[..., :2] - 0.5, config.image_size)) * present[..., None],
        boxes=torch.from_numpy(boxes_of(visible.numpy())),
        masks=visible,
        whole=full,
        factors=blanked(_factors(solids) | {"depth": depth} | factors, present.numpy()),
        scene={"camera": camera_matrix(camera, config.image_size), "light": _tensor(camera["lamp"])},
    )


def _factors(solids: Solids) -> dict[str, Array]:
    return {
        "shape": solids.kind.numpy(),
        # 0: rubber, 1: metal
        "material": solids.metal.long().numpy(),
        "size": solids.radius.numpy(),
        "position": solids.centre.numpy(),
        "orientation": torch.atan2(solids.turn[..., 1], solids.turn[..., 0]).numpy(),
    }


def _masks(solids: Solids, view: CameraView) -> tuple[Tensor, Tensor]:
    """The visible and the full masks, computed for a few pictures at a time."""
    blocks = []
    step = max(RAYS // (view.size[0] * view.size[1] * view.fine**2), 1)
    for start in range(0, len(solids.kind), step):
        rows = slice(start, start + step)
        block = replace(view, eye=view.eye[rows], axes=view.axes[rows], lamp=view.lamp[rows])
        part = Solids(*(value[rows] for value in vars(solids).values()))
        blocks.append(masks(trace(part, block), block))
    visible, full = zip(*blocks, strict=True)
    return torch.cat(visible), torch.cat(full)


def _unit(vectors: Array) -> Array:
    x = vectors[..., 0]
    y = vectors[..., 1]
    z = vectors[..., 2]
    return vectors / np.sqrt(x * x + y * y + z * z)[..., None]
