"""The colours of a vehicle's surface: paint, glass, wheels and lamps, under the light of the picture."""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.portable import Array, fraction, within
from motes.data.worlds.roads.fleet import Fleet, Light, per_pixel
from motes.data.worlds.roads.vehicles import COLOUR, END, GLASS_FROM, GLASS_TO, PILLARS, SIZES, START

Colour = tuple[float, float, float]
GLASS = (0.1, 0.13, 0.17)
TYRE = (0.07, 0.07, 0.075)
HUB = (0.55, 0.56, 0.58)
SILL = (0.14, 0.14, 0.15)
LAMP = (1.0, 0.97, 0.86)
TAIL = (0.72, 0.06, 0.06)


@dataclass(frozen=True)
class Hit:
    """Where rays meet one part of each vehicle, V H W each."""

    # number of the plane: front, back, left, right, top, bottom
    face: Array
    # in the vehicle's own space
    x: Array
    y: Array
    z: Array

    @property
    def flank(self) -> Array:
        return (self.face == 2) | (self.face == 3)


def surface_colours(fleet: Fleet, part: Array, normals: Array, hit: Hit, light: Light) -> Array:
    """The colours, V 3 H W, of one part (V 12) of each vehicle; the part's planes have these normals (V 6
    3)."""
    shade = _shade(normals, hit.face, light)
    pane = _panes(fleet, part, hit)
    colour = np.broadcast_to(_paint(fleet, part), shade.shape)
    colour = _laid(colour, pane, GLASS)
    colour = _laid(colour, (hit.z < 0.36) & ~pane & (hit.face < 4), SILL)
    colour = _with_wheels(colour, fleet, hit)
    return _with_lamps(colour * shade, fleet, part, hit, _glow(shade, light))


def _shade(normals: Array, face: Array, light: Light) -> Array:
    """The light on the face that each pixel shows, as factors of colours, V 3 H W."""
    towards = (normals * light.direction[:, None].astype(np.float64)).astype(np.float32)
    facing = np.maximum(towards[..., 0] + towards[..., 1] + towards[..., 2], 0) * np.float32(1.25)
    upright = (np.float32(0.72) + np.float32(0.28) * normals[..., 2]).astype(np.float32)
    # V 6 3
    shades = upright[..., None] * light.sky[:, None] + facing[..., None] * light.sun[:, None]
    number = face.reshape(len(face), 1, -1).astype(np.int64)
    shade = np.take_along_axis(shades.transpose(0, 2, 1), number, 2)
    return shade.reshape(len(face), 3, *face.shape[1:])


def _paint(fleet: Fleet, part: Array) -> Array:
    """The colour of the part's paint, V 3 1 1: the body's colour or the second one."""
    second = per_pixel(part[:, COLOUR])[:, None] > 0.5
    colours = (fleet.second, fleet.body)
    return np.where(second, *(colour.astype(np.float32)[:, :, None, None] for colour in colours))


def _panes(fleet: Fleet, part: Array, hit: Hit) -> Array:
    """Whether each pixel shows glass."""
    start, low, high, pillars = (per_pixel(part[:, n]) for n in (START, GLASS_FROM, GLASS_TO, PILLARS))
    width = per_pixel(SIZES[fleet.kind, 1])
    side_window = hit.flank & (fraction((hit.x - start) / pillars) > 0.1) & (hit.x > start + 0.25)
    windscreen = (hit.face < 2) & (np.abs(hit.y) < width * np.float32(0.42))
    return within(hit.z, low, high) & (side_window | windscreen)


def _with_wheels(colour: Array, fleet: Fleet, hit: Hit) -> Array:
    length = per_pixel(SIZES[fleet.kind, 0])
    axle = np.abs(np.abs(hit.x) - length * np.float32(0.31))
    square = axle * axle + np.square(hit.z - np.float32(0.36))
    colour = _laid(colour, hit.flank & (square < 0.13), TYRE)
    return _laid(colour, hit.flank & (square < 0.035), HUB)


def _glow(shade: Array, light: Light) -> Array:
    """The factors of the lamps' colours, V 3 H W, which are never darker than the light that falls on
    them."""
    return np.maximum(shade, (0.25 + 0.75 * light.lamps()).astype(np.float32)[:, None, None, None])


def _with_lamps(colour: Array, fleet: Fleet, part: Array, hit: Hit, glow: Array) -> Array:
    length, width = (per_pixel(SIZES[fleet.kind, axis]) for axis in range(2))
    start, end = (per_pixel(part[:, n]) for n in (START, END))
    corner = np.abs(hit.y) > width * np.float32(0.29)
    front = (hit.face == 0) & corner & within(hit.z, 0.5, 0.82) & (end > length * np.float32(0.49))
    back = (hit.face == 1) & corner & within(hit.z, 0.55, 0.95) & (start < length * np.float32(-0.49))
    colour = np.where(front[:, None], _plane_of(LAMP) * glow, colour)
    return np.where(back[:, None], _plane_of(TAIL) * glow, colour)


def _laid(colour: Array, mask: Array, top: Colour) -> Array:
    """The colours, replaced by `top` where the mask is true."""
    return np.where(mask[:, None], _plane_of(top), colour)


def _plane_of(colour: Colour) -> Array:
    """The colour as an array 3 1 1."""
    return np.array(colour, np.float32)[:, None, None]
