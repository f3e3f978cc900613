"""Where solids stand: the floor, its camera and lamp, the looks that things may have; and the truth of
solids that a camera sees."""

import numpy as np
import torch
from torch import Tensor

from motes.data.truth_from_masks import boxes_of
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import blanked, normalised
from motes.data.worlds.solid.raycast import View, masks, trace
from motes.data.worlds.solid.solids import Solids
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
POINTS = 2**18  # rays cast at once
Camera = dict[str, np.ndarray]  # eye B 3, axes B 3 3 (to the right, up, ahead), lamp B 3


def make_camera(dice: Dice, shake: float) -> Camera:
    """Camera and lamp are moved by up to `shake` in each direction; the camera looks at the middle of the
    floor."""
    eye = np.array(EYE) + dice.between("camera", -shake, shake, 3)
    lamp = np.array(LAMP) + dice.between("lamp", -shake, shake, 3)
    ahead = _unit(np.array(AIM) - eye)
    right = _unit(np.stack([ahead[:, 1], -ahead[:, 0], np.zeros(len(dice))], -1))
    return {"eye": eye, "axes": np.stack([right, np.cross(right, ahead), ahead], 1), "lamp": lamp}


def view_of(camera: Camera, size: tuple[int, int], fine: int) -> View:
    eye, axes, lamp = (torch.from_numpy(camera[name].astype(np.float32)) for name in ("eye", "axes", "lamp"))
    return View(eye, axes, lamp, size, ZOOM, fine)


def on_screen(points: np.ndarray, camera: Camera, size: tuple[int, int]) -> np.ndarray:
    """B N 3 to row and column in pixels from the picture's corner, and depth ahead of the camera."""
    seen = points - camera["eye"][:, None]
    right, up, ahead = (
        sum(seen[..., one] * camera["axes"][:, None, axis, one] for one in range(3)) for axis in range(3)
    )
    scale = min(size) / 2 / ZOOM
    return np.stack([size[0] / 2 - scale * up / ahead, size[1] / 2 + scale * right / ahead, ahead], -1)


def camera_matrix(camera: Camera, size: tuple[int, int]) -> Tensor:
    """float32, B 3 4: (x, y, z, 1) to (row, column, 1) times depth, in pixels, the first pixel's middle
    being 0."""
    right, up, ahead = camera["axes"].transpose(1, 0, 2)
    scale = min(size) / 2 / ZOOM
    turn = np.stack(
        [(size[0] - 1) / 2 * ahead - scale * up, (size[1] - 1) / 2 * ahead + scale * right, ahead], 1
    )
    return torch.from_numpy(np.concatenate([turn, -turn @ camera["eye"][..., None]], -1).astype(np.float32))


def truth_of(
    solids: Solids, camera: Camera, factors: dict[str, np.ndarray], size: tuple[int, int], fine: int
) -> Truth:
    """`factors` and those that solids tell; what is not there has zeros."""
    places = on_screen(solids.centre.double().numpy(), camera, size)
    seen, whole = _masks(solids, view_of(camera, size, fine))
    there = solids.there & whole.flatten(2).any(2)
    known = {
        "shape": solids.kind.numpy(),
        "material": solids.metal.long().numpy(),  # 0: rubber, 1: metal
        "size": solids.radius.numpy(),
        "position": solids.centre.numpy(),
        "orientation": torch.atan2(solids.turn[..., 1], solids.turn[..., 0]).numpy(),
        "depth": places[..., 2].astype(np.float32),
        **factors,
    }
    return Truth(
        present=seen.flatten(2).any(2),
        centres=torch.from_numpy(normalised(places[..., :2] - 0.5, size)) * there[..., None],
        boxes=torch.from_numpy(boxes_of(seen.numpy())),
        masks=seen,
        whole=whole,
        factors=blanked(known, there.numpy()),
        scene={
            "camera": camera_matrix(camera, size),
            "light": torch.from_numpy(camera["lamp"].astype(np.float32)),
        },
    )


def _masks(solids: Solids, view: View) -> tuple[Tensor, Tensor]:
    """Visible and whole, a few pictures at a time."""
    found = []
    chunk = max(POINTS // (view.size[0] * view.size[1] * view.fine**2), 1)
    for start in range(0, len(solids.kind), chunk):
        rows = slice(start, start + chunk)
        part = View(view.eye[rows], view.axes[rows], view.light[rows], view.size, view.half, view.fine)
        found.append(masks(trace(Solids(*(value[rows] for value in vars(solids).values())), part), part))
    seen, whole = zip(*found, strict=True)
    return torch.cat(seen), torch.cat(whole)


def _unit(vectors: np.ndarray) -> np.ndarray:
    x = vectors[..., 0]
    y = vectors[..., 1]
    z = vectors[..., 2]
    return vectors / np.sqrt(x * x + y * y + z * z)[..., None]
