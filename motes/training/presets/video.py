"""Presets of the models that predict what happens next."""

from motes.data.source import Source
from motes.training.presets.preset import Preset
from motes.training.recipe import Recipe, Training

VIDEO = {
    "dlp-graph-balls": Preset(
        "what colliding balls do next, from the particles of a dlp (needs its run: --model.start-from RUN)",
        Recipe(
            "dlp-graph",
            Source("balls", {"count": 120, "held_out": 40}),
            {"mirrors": True, "motion": "gaussian"},
            # 64 windows of 6 given frames and 5 to predict in each step
            Training(
                8000,
                704,
                3e-3,
                schedule="cosine",
                clip_norm=1.0,
                average=0.998,
                evaluate_every=2000,
                validation_pictures=1000,
            ),
        ),
    ),
}
