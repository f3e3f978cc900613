"""Presets of the models between a description and a picture: layouts, poses."""

from motes.training.presets.preset import Preset
from motes.training.recipe import Recipe, Training

POSES = {
    "feedback-arm": Preset(
        "the joints of an arm in depth pictures: guess, draw, compare, correct",
        Recipe("feedback", "arm", {}, {}, Training(6000, 32, 1e-3, evaluate_every=1500)),
    ),
}
