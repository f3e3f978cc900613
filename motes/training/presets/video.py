"""Presets of the models that predict what happens next."""

from typing import Any

from motes.data.source import Source
from motes.training.presets.preset import Preset
from motes.training.recipe import Recipe, Training

EPOCHS = 150
# the learning rate falls by 5 % an epoch, which is one half in this many
HALVING_EPOCHS = 13.5134
# of the released code, which has no stage of stills: one epoch of single glimpses, one of noise; the last third also
# learns from roll-outs, which the code does not
PUBLISHED = {
    "presence_posterior": "beta",
    "phases": (1 / EPOCHS, 1 / EPOCHS, 2 / 3 - 2 / EPOCHS, 1 / 3),
    "width": 256,
}
OF_128_PIXELS = {"feature_dim": 8, "patch_size": 16, "glimpse_size": 32, "reconstruction": "vgg"}


def _published(about: str, data: Source, model: dict[str, Any], clips: int, steps: int) -> Preset:
    """150 epochs; KLs of looks and depths have a thousandth of the weight of others, as in the released code."""
    halvings = tuple(number * HALVING_EPOCHS / EPOCHS for number in range(1, 12))
    batch_size = clips * model["frames"]
    training = Training(steps, batch_size, 2e-4, 1e-4, "halving", halvings, warm_steps=0, evaluate_every=1000)
    beta = model.pop("beta")
    model = {**PUBLISHED, **model, "kl_weights": (beta, beta / 1000)}
    return Preset(about, Recipe("ddlp", data, model, training))


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
    "dlp-graph-junction": Preset(
        "where vehicles turn at a junction, from the particles of a dlp (needs its run: --model.start-from RUN)",
        Recipe(
            "dlp-graph",
            Source("traffic", {"frames": 64, "count": 15360, "held_out": 1280}),
            {"motion": "latent"},
            # 64 windows of 6 given frames and 20 that a latent action lasts in each step
            Training(
                8000,
                1664,
                3e-3,
                schedule="cosine",
                clip_norm=1.0,
                average=0.998,
                evaluate_every=2000,
                validation_pictures=640,
            ),
        ),
    ),
    "ddlp-balls": Preset(
        "colliding balls: what they are, and what they do next, learnt together in minutes",
        Recipe(
            "ddlp",
            Source("balls", {"count": 400, "held_out": 40}),
            {
                "num_particles": 6,
                "num_proposals": 10,
                "glimpse_size": 20,
                "presence_weight": 1.5,
                "phases": (0.08, 0.04, 0.25, 0.4),
                "interaction": "graph",
                "mirrors": True,
            },
            # 4 windows of 11 frames in each step
            Training(
                1200,
                44,
                2e-3,
                schedule="cosine",
                clip_norm=100.0,
                max_minutes=9.0,
                evaluate_every=300,
                validation_pictures=400,
            ),
        ),
    ),
    "ddlp-balls-published": _published(
        "DDLP on balls: 64 px, 6 particles, 150 epochs of 5,000 clips",
        Source("balls", {"count": 5000, "held_out": 200}),
        {"num_particles": 6, "num_proposals": 12, "feature_dim": 3, "frames": 11, "beta": 0.1},
        32,
        23400,
    ),
    "ddlp-obj3d": _published(
        "DDLP on a few moving solids: 128 px, 12 particles (needs a folder of videos)",
        Source("video", {"image_size": (128, 128), "frames": 100}),
        {**OF_128_PIXELS, "num_particles": 12, "num_proposals": 16, "frames": 11, "beta": 100.0},
        4,
        100000,
    ),
    "ddlp-clevrer": _published(
        "DDLP on tabletop videos: 128 px, 12 particles, windows of 20 frames (needs a folder of videos)",
        Source("video", {"image_size": (128, 128), "frames": 128}),
        {**OF_128_PIXELS, "num_particles": 12, "num_proposals": 16, "frames": 21, "beta": 100.0},
        8,
        90000,
    ),
    "ddlp-traffic": _published(
        "DDLP on a road camera: 128 px, 25 particles (needs a folder of videos)",
        Source("video", {"image_size": (128, 128), "frames": 50}),
        {**OF_128_PIXELS, "num_particles": 25, "num_proposals": 30, "frames": 11, "beta": 40.0},
        8,
        90000,
    ),
}
