"""Presets of models that draw a picture from a description: a layout, or the positions of a pose's joints."""

from motes.data.source import Source
from motes.training.presets.preset import Preset
from motes.training.recipe import Recipe, Training

POSES = {
    "feedback-arm": Preset(
        "the joints of an arm in depth pictures: guess, draw, compare, correct",
        Recipe("feedback", Source("arm"), {"spread": 0.3}, Training(4800, 32, 2e-3, evaluate_every=1200)),
    ),
    "cascade-streets": Preset(
        "streets drawn from layouts, by a perceptual loss",
        Recipe(
            "cascade",
            Source("streets", {"image_size": (32, 64), "count": 2000}),
            {},
            Training(2400, 4, 4e-3, evaluate_every=600, validation_pictures=64),
        ),
    ),
}
