"""Draw the numbers that describe generated faces: people, poses, light and backgrounds, from tables of
ranges."""

import numpy as np

from motes.data.worlds.faces.geometry import Look
from motes.data.worlds.portable import PI, Array, along_palette, bells, cosine, hue, picks, sine, uniforms

SHAPE = {  # of an identity, the middle more likely; in half skull widths
    "height": (1.08, 1.26),
    "jaw_y": (0.46, 0.62),
    "jaw_width": (0.54, 0.86),
    "jaw_height": (0.7, 0.9),
    "eye_x": (0.36, 0.47),
    "eye_y": (0.04, 0.2),
    "eye_width": (0.2, 0.28),
    "eye_high": (0.5, 0.85),
    "eye_low": (0.3, 0.5),
    "slant": (-0.22, 0.3),
    "iris": (0.46, 0.58),
    "brow_gap": (0.25, 0.37),
    "brow_x": (0.4, 0.48),
    "brow_width": (0.23, 0.31),
    "brow_thick": (0.035, 0.1),
    "brow_arch": (0.01, 0.12),
    "brow_slant": (-0.06, 0.07),
    "nose_drop": (0.36, 0.54),
    "nose_z": (1.16, 1.42),
    "nose_width": (0.13, 0.24),
    "mouth_drop": (0.27, 0.37),
    "mouth_width": (0.27, 0.4),
    "lip_high": (0.045, 0.1),
    "lip_low": (0.05, 0.125),
    "ear": (0.2, 0.29),
    "neck": (0.42, 0.62),
    "shoulder": (1.3, 1.9),
}
TASTE = {  # of an identity, all values equally likely
    "skin": (0.0, 1.0),
    "skin_warm": (-0.03, 0.03),
    "hair_tone": (0.0, 1.0),
    "dyed": (0.0, 1.0),
    "dye": (0.0, 1.0),
    "iris_tone": (0.0, 1.0),
    "lip_tone": (0.0, 1.0),
    "parting": (-0.45, 0.45),
    "curl_phase": (0.0, 1.0),
    "glasses": (0.0, 1.0),
    "glasses_round": (0.0, 1.0),
    "glasses_tone": (0.0, 1.0),
    "beard": (0.0, 1.0),
    "beard_shape": (0.0, 1.0),
    "blush": (0.0, 0.26),
}
MOMENT = {  # of a picture, the middle more likely
    "yaw": (-1.0, 1.0),
    "pitch": (-16.0, 18.0),
    "roll": (-18.0, 18.0),
    "gaze_x": (-0.35, 0.35),
    "gaze_y": (-0.12, 0.16),
    "frown": (-0.7, 0.8),
    "scale": (0.22, 0.3),
    "bright": (0.86, 1.1),
}
PLACE = {  # of a picture, all values equally likely
    "column": (-1.0, 1.0),
    "row": (-1.0, 1.0),
    "smile": (-0.55, 1.0),
    "opening": (-1.0, 1.0),
    "raising": (-0.5, 1.0),
    "closing": (-3.2, 1.0),
    "light_turn": (-75.0, 75.0),
    "light_height": (-0.1, 0.75),
    "soft": (0.4, 0.75),
    "warmth": (-1.0, 1.0),
    "cloth_hue": (0.0, 1.0),
    "cloth_grey": (0.1, 0.75),
    "cloth_value": (0.25, 0.95),
    "cloth_stripes": (0.0, 1.0),
    "collar": (0.0, 1.0),
}
BACKGROUND = {  # of a picture, all values equally likely
    "turn": (0.0, 1.0),
    "apart": (0.03, 0.2),
    "grey": (0.4, 0.92),
    "value": (0.35, 0.95),
    "step": (-0.35, 0.25),
    "angle": (-90.0, 90.0),
    "grain": (1.5, 5.0),
    "phase": (0.0, 1.0),
    "phase_2": (0.0, 1.0),
    "strength": (0.04, 0.16),
    "kind": (0.0, 1.0),
}
# how likely; and: sides, top, hairline, its bend, behind the ears, jags, back's length, curls, bun, tails
STYLES = {
    "short": (1.3, (0.03, 0.06, -0.66, 0.5, 0.55, 0.03, 0.0, 0.0, 0, 0)),
    "quiff": (1.0, (0.02, 0.24, -0.7, 0.45, 0.5, 0.05, 0.0, 0.2, 0, 0)),
    "crop": (1.0, (0.05, 0.08, -0.42, 0.12, 0.6, 0.07, 0.0, 0.0, 0, 0)),
    "parted": (1.2, (0.07, 0.12, -0.62, 0.6, 0.8, 0.0, 0.0, 0.0, 0, 0)),
    "bob": (1.3, (0.12, 0.1, -0.6, 0.75, 4.0, 0.0, 1.05, 0.0, 0, 0)),
    "fringe": (1.1, (0.12, 0.09, -0.28, 0.12, 4.0, 0.06, 1.15, 0.0, 0, 0)),
    "long": (1.5, (0.12, 0.12, -0.68, 0.8, 4.0, 0.0, 1.9, 0.0, 0, 0)),
    "wavy": (1.2, (0.18, 0.16, -0.62, 0.7, 4.0, 0.04, 1.7, 0.5, 0, 0)),
    "afro": (1.0, (0.36, 0.4, -0.58, 0.45, 2.2, 0.05, 0.0, 0.7, 0, 0)),
    "curly": (1.1, (0.16, 0.26, -0.52, 0.3, 1.6, 0.08, 0.35, 1.0, 0, 0)),
    "bun": (0.9, (0.02, 0.04, -0.72, 0.55, 1.2, 0.0, 0.0, 0.0, 1, 0)),
    "tails": (0.8, (0.04, 0.06, -0.66, 0.7, 1.6, 0.0, 0.0, 0.1, 0, 1)),
    "buzz": (0.7, (0.0, -0.03, -0.68, 0.4, 0.6, 0.0, 0.0, 0.0, 0, 0)),
    "bald": (0.6, (0.0, -0.04, -2.6, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0)),
}
STYLE_NUMBERS = (
    "hair_side",
    "hair_top",
    "hair_line",
    "hair_bend",
    "hair_behind",
    "jags",
    "length",
    "curl",
    "bun",
    "tails",
)
SKIN = [
    (247, 212, 190),
    (240, 198, 168),
    (236, 188, 150),
    (222, 165, 124),
    (196, 134, 92),
    (160, 102, 66),
    (122, 74, 48),
    (86, 52, 36),
]
HAIR = [
    (28, 22, 26),
    (48, 32, 28),
    (84, 52, 34),
    (122, 76, 42),
    (156, 74, 38),
    (186, 132, 72),
    (226, 190, 116),
    (206, 204, 204),
]
IRIS = [(58, 36, 24), (104, 66, 34), (130, 112, 54), (84, 128, 88), (70, 118, 172), (122, 150, 176)]
FRAMES = [(34, 32, 38), (96, 52, 38), (168, 122, 60), (70, 84, 120), (176, 60, 66)]
ROSE = [(186, 84, 78), (206, 104, 100), (190, 60, 82), (160, 58, 52)]


def people(random: np.random.Generator, count: int) -> Look:
    """The look of `count` random people: numbers of shape B, colours B 3."""
    look = bells(random, count, SHAPE) | uniforms(random, count, TASTE)
    look |= _hair_style(random, count)
    look["nose_y"] = look["eye_y"] + look["nose_drop"]
    look["mouth_y"] = look["nose_y"] + look["mouth_drop"]
    look["eye_high"] = look["eye_high"] * 0.85
    look["eye_low"] = look["eye_low"] * 0.85
    look["glasses"] = (look["glasses"] > 0.78) * 1.0
    look["beard"] = _beard(look)
    return look | _colours(look)


def _hair_style(random: np.random.Generator, count: int) -> Look:
    """A hair style from the table for each person, varied a little."""
    style = picks(random, count, {name: weight for name, (weight, _) in STYLES.items()})
    table = np.array([numbers for _, numbers in STYLES.values()])[style]
    look = {name: table[:, n] for n, name in enumerate(STYLE_NUMBERS)}
    change = uniforms(random, count, {"line": (-0.05, 0.05), "top": (-0.02, 0.05), "length": (0.85, 1.15)})
    look["hair_line"] = look["hair_line"] + change["line"]
    look["hair_top"] = look["hair_top"] + change["top"]
    look["length"] = look["length"] * change["length"]
    return look | {"style": style}


def _beard(look: Look) -> Array:
    """The strength of each beard, 0 to 1. Only people with short hair have one, and half of these have
    none."""
    short = (look["length"] == 0) & (look["bun"] + look["tails"] == 0)
    return np.where(short, np.clip((look["beard"] - 0.5) * 3, 0, 1), 0)


def _colours(look: Look) -> Look:
    skin = along_palette(SKIN, look["skin"])
    warmth = look["skin_warm"][:, None] * np.array([1.0, -0.3, -1.5])
    return {
        "skin_colour": np.clip(skin * (1 + warmth), 0, 1),
        "lip_colour": _lip_colour(look, skin),
        "frame_colour": along_palette(FRAMES, look["glasses_tone"]),
        **_hair_and_iris_colours(look),
    }


def _lip_colour(look: Look, skin: Array) -> Array:
    rose = along_palette(ROSE, look["lip_tone"])
    return skin * 0.5 * np.array([1.0, 0.72, 0.74]) + rose * (0.5 - 0.2 * look["skin"])[:, None]


def _hair_and_iris_colours(look: Look) -> Look:
    # fair hair and pale eyes are rare with dark skin
    dark = np.clip(1.4 - 1.6 * look["skin"], 0.2, 1)
    natural = along_palette(HAIR, look["hair_tone"] * dark)
    dyed = hue(look["dye"], np.full(len(dark), 0.55), np.full(len(dark), 0.75))
    return {
        "hair_colour": np.where((look["dyed"] > 0.91)[:, None], dyed, natural),
        "brow_colour": natural * 0.72,
        "iris_colour": along_palette(IRIS, look["iris_tone"] * dark),
    }


def picture_looks(
    random: np.random.Generator, count: int, size: tuple[int, int], turn: float, shift: float
) -> Look:
    """The pose, expression, light and clothes of `count` pictures; positions are in pixels.

    `turn`: degrees to a side at most; `shift`: how far off the middle at most, as a share of the picture's
    side.
    """
    look = bells(random, count, MOMENT) | uniforms(random, count, PLACE)
    look["yaw"] = look["yaw"] * turn
    look["scale"] = look["scale"] * min(size)
    look["column"] = (size[1] - 1) / 2 + shift * size[1] * look["column"]
    look["row"] = (size[0] - 1) / 2 + shift * size[0] * look["row"] - 0.03 * min(size)
    look["cloth"] = hue(look["cloth_hue"], 1 - look["cloth_grey"], look["cloth_value"])
    look |= _expression(look.pop("opening"), look.pop("raising"), look.pop("closing"))
    return look | light(look, look.pop("light_height"))


def _expression(opening: Array, raising: Array, closing: Array) -> Look:
    """The expression of mouth, brows and eyes: many mouths are shut, most eyes are open, and some are
    shut."""
    closed = np.where(closing > 0.55, 1.0, np.maximum(closing, 0))
    return {"open": np.maximum(opening, 0), "raise": np.clip(raising, -0.3, 1), "closed": closed}


def light(look: Look, height: Array) -> Look:
    """The direction of the light, the colour of the lamp, and that of the ambient light (from all sides)."""
    angle = look["light_turn"] * PI / 180
    flat = np.sqrt(1 - height * height)
    direction = {"light_x": sine(angle) * flat, "light_y": -height, "light_z": cosine(angle) * flat}
    warm = look["warmth"][:, None] * np.array([0.07, 0.0, -0.09])
    return direction | {"lamp": _lamp_colour(look, warm), "dim": _dim_colour(look, warm)}


def _lamp_colour(look: Look, warm: Array) -> Array:
    strength = (look["bright"] * (1 - look["soft"]))[:, None]
    return (1 + warm) * strength * 1.25


def _dim_colour(look: Look, warm: Array) -> Array:
    """The colour of the ambient light; it is cooler where the lamp is warmer."""
    return (1 - 0.7 * warm) * (look["bright"] * look["soft"])[:, None] * 1.02


def backgrounds(random: np.random.Generator, count: int) -> Look:
    """The look of `count` backgrounds: two colours that go together, a kind of pattern and its numbers."""
    draw = uniforms(random, count, BACKGROUND)
    draw["spots"] = random.random((count, 6, 4))
    angle = draw.pop("angle") * PI / 180
    draw["east"] = cosine(angle)
    draw["south"] = sine(angle)
    second_value = np.clip(draw["value"] + draw["step"], 0.15, 1)
    draw["first"] = hue(draw["turn"], 1 - draw["grey"], draw["value"])
    draw["second"] = hue(draw["turn"] + draw["apart"], 1 - draw["grey"], second_value)
    return {f"back_{name}": value for name, value in draw.items()}


def repeat(look: Look, times: int) -> Look:
    return {name: np.repeat(value, times, 0) for name, value in look.items()}
