"""Presets of the models whose latent is a set of slots."""

from motes.data.source import Source
from motes.training.presets.preset import Preset
from motes.training.recipe import Recipe, Training

SLOTS = {
    "iodine-quick": Preset(
        "slots of tetrominoes, learnt in a quarter of an hour on one CPU core",
        Recipe(
            "iodine",
            Source("tetrominoes", {}),
            {},
            Training(
                9000,
                16,
                1.5e-3,
                schedule="halving",
                halvings=(0.55, 0.7, 0.85),
                warm_steps=200,
                clip_norm=5.0,
                max_minutes=13.0,
                evaluate_every=1000,
            ),
        ),
    ),
}
