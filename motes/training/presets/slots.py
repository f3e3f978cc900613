"""Presets of the models whose latent is a set of slots."""

from typing import Any

from motes.data.source import Source
from motes.training.presets.preset import Preset
from motes.training.recipe import Recipe, Training

# the networks and the loss of the paper and its code: no ground, and gradients through all that is read
PUBLISHED: dict[str, Any] = {
    "updates": (5, 5),
    "likelihood": "mixture",
    "scale": (0.1, 0.1),
    "ground": "none",
    "side": 0,
    "through": "all",
}
SMALL: dict[str, Any] = {
    **PUBLISHED,
    "decoder": (32, 4, 5),
    "reader": (32, 32, 32),
    "hidden": (128, 128),
    "waves": 3,
}


def _quick(steps: int, minutes: float, batch: int = 16) -> Training:
    return Training(
        steps,
        batch,
        1.5e-3,
        schedule="halving",
        halvings=(0.55, 0.7, 0.85),
        warm_steps=200,
        clip_norm=5.0,
        max_minutes=minutes,
        evaluate_every=1000,
    )


def _published(batch: int, learning_rate: float) -> Training:
    """The published batch and learning rate; a third of the published million steps, with a cosine."""
    return Training(
        300000, batch, learning_rate, warm_steps=1000, clip_norm=5.0, precision="auto", evaluate_every=5000
    )


SLOTS = {
    "iodine-quick": Preset(
        "slots of tetrominoes, learnt in nine minutes on one CPU core",
        Recipe("iodine", Source("tetrominoes", {}), {"starts": (3, 4, 3, 4)}, _quick(6000, 9.0)),
    ),
    "iodine-sprites-quick": Preset(
        "slots of sprites on plain grounds of any grey, on one CPU core",
        Recipe(
            "iodine",
            Source("sprites", {}),
            {
                "slots": 5,
                "updates": (2, 4),
                "ground": "median",
                "side": 8,
                "decoder": (32, 4, 3),
                "scale": (0.45, 0.25),
            },
            _quick(20000, 40.0, batch=8),
        ),
    ),
    "iodine-tetrominoes": Preset(
        "the paper's tetrominoes: 35 px, 4 slots (needs a GPU)",
        Recipe(
            "iodine",
            Source("tetrominoes", {}),
            {**SMALL, "code_dim": 32, "slots": 4, "starts": (4,), "memory": 0},
            _published(256, 3e-4),
        ),
    ),
    "iodine-sprites": Preset(
        "the paper's sprites: 64 px, 6 slots (needs a GPU)",
        Recipe(
            "iodine",
            Source("sprites", {}),
            {**SMALL, "code_dim": 16, "slots": 6, "starts": (6,), "memory": 128},
            _published(128, 3e-4),
        ),
    ),
    "iodine-scenes": Preset(
        "the paper's network of CLEVR6, on generated scenes: 128 px, 7 slots (needs a GPU)",
        Recipe(
            "iodine",
            Source("scenes", {"image_size": (128, 128)}),
            {
                **PUBLISHED,
                "code_dim": 64,
                "slots": 7,
                "starts": (7,),
                "decoder": (64, 4, 3),
                "reader": (64, 64, 64, 64),
                "hidden": (256, 256),
                "memory": 256,
            },
            _published(32, 1e-3),
        ),
    ),
}
