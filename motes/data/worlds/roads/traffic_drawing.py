"""Draw pictures of traffic: the junction under the light of its hour, shadows on it, and vehicles in
front."""

import numpy as np

from motes.data.worlds.portable import Array, keep_memory
from motes.data.worlds.roads.fleet import Fleet, Light
from motes.data.worlds.roads.junction import FINER, Junction
from motes.data.worlds.roads.shadows import Shadow, vehicle_shadows
from motes.data.worlds.roads.vehicle_drawing import Sprite, draw_vehicles


def draw_traffic(junction: Junction, fleet: Fleet, light: Light) -> tuple[Array, Array, list[Sprite]]:
    """Draw pictures (uint8, B 3 H W) of vehicles at the junction.

    Returns the pictures, the slot + 1 of the vehicle at each canvas pixel (B H W; 0: no vehicle), and the
    vehicles drawn alone.
    """
    keep_memory()
    shadows = vehicle_shadows(junction, fleet, light.direction)
    sprites = draw_vehicles(junction.eye, fleet, light, junction.depth.shape)
    pictures = []
    slots = []
    for frame in range(len(light.sky)):
        vehicles = np.flatnonzero(fleet.frame == frame)
        canvas = _lit(junction, light.sky[frame], light.sun[frame], [shadows[n] for n in vehicles])
        slots.append(
            _laid_over(canvas, junction.depth, [(sprites[n], int(fleet.slot[n]) + 1) for n in vehicles])
        )
        pictures.append(_halved(canvas))
    return np.stack(pictures), np.stack(slots), sprites


def _lit(junction: Junction, sky: Array, sun: Array, shadows: list[Shadow]) -> Array:
    """The junction without vehicles, 3 H W, with their shadows."""
    dark = np.ones_like(junction.depth)
    near = np.ones_like(junction.depth)
    for shadow in shadows:
        cut = shadow.window
        dark[cut] = np.minimum(dark[cut], 1 - shadow.sun)
        near[cut] = np.minimum(near[cut], 1 - shadow.contact)
    return junction.shade * (sky[:, None, None] * near) + junction.sunlit * (sun[:, None, None] * dark)


def _laid_over(canvas: Array, depth: Array, sprites: list[tuple[Sprite, int]]) -> Array:
    """Draw vehicles over the canvas, which changes, the nearest in front; returns their numbers, uint8 H W.

    The list pairs each sprite with its number; a pixel has that of the sprite that it shows, or 0.
    """
    depth = depth.copy()
    numbers = np.zeros(depth.shape, np.uint8)
    for sprite, number in sprites:
        cut = sprite.window
        nearer = sprite.depth < depth[cut]
        np.copyto(depth[cut], sprite.depth, where=nearer)
        np.copyto(canvas[:, *cut], sprite.colour, where=nearer)
        np.copyto(numbers[cut], np.uint8(number), where=nearer)
    return numbers


def _halved(canvas: Array) -> Array:
    """The canvas as a picture, uint8, of which each pixel is the mean of four canvas pixels."""
    tall = canvas[:, ::2] + canvas[:, 1::2]
    total = tall[..., ::2] + tall[..., 1::2]
    return np.clip(total * np.float32(255 / FINER**2) + np.float32(0.5), 0, 255).astype(np.uint8)
