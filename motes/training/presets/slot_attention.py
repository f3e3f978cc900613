"""Presets of Slot Attention: the published ones, and one for a CPU."""

from motes.data.source import Source
from motes.training.presets.preset import Preset
from motes.training.recipe import Recipe, Training

# 500k steps, warm-up over 10k, the rate halved every 100k
PUBLISHED = Training(
    500000,
    64,
    4e-4,
    schedule="halving",
    halvings=(0.2, 0.4, 0.6, 0.8),
    warm_steps=10000,
    evaluate_every=10000,
)

SLOT_ATTENTION = {
    "slot-attention-quick": Preset(
        "slot attention on tetrominoes, learnt in minutes on a CPU",
        Recipe(
            "slot-attention",
            Source("tetrominoes"),
            {
                "slots": 4,
                "code_dim": 32,
                "stride": 5,
                "kernel": 3,
                "decoder": "cells",
                "side": 7,
            },
            Training(40000, 16, 1.5e-3, warm_steps=200, max_minutes=8.0, evaluate_every=2000),
        ),
    ),
    "slot-attention-tetrominoes": Preset(
        "slot attention on tetrominoes as published: 35 px, 4 slots (a GPU)",
        Recipe("slot-attention", Source("tetrominoes"), {"slots": 4}, PUBLISHED),
    ),
    "slot-attention-sprites": Preset(
        "slot attention on sprites as published: 64 px, 6 slots (a GPU)",
        Recipe("slot-attention", Source("sprites"), {"slots": 6}, PUBLISHED),
    ),
    "slot-attention-scenes": Preset(
        "slot attention on tabletop scenes as published for CLEVR6: 128 px, 7 slots (a GPU)",
        Recipe(
            "slot-attention",
            Source("scenes", {"image_size": (128, 128)}),
            {"slots": 7, "width": 64, "side": 8, "layers": 1},
            PUBLISHED,
        ),
    ),
}
