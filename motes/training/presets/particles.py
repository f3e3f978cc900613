"""Presets of the models whose latent is a set of points."""

from dataclasses import replace

from motes.data.source import Source
from motes.training.presets.preset import Preset
from motes.training.recipe import Recipe, Training


def _paper(steps: int, learning_rate: float, halvings: tuple[float, ...]) -> Training:
    """The training of the single-GPU script of 2022, which the README of that code recommends.

    Its batch size is 64, Adam's epsilon is 1e-4, and the learning rate is halved at the shares `halvings`.
    """
    return Training(steps, 64, learning_rate, 1e-4, "halving", halvings, warm_steps=0, evaluate_every=1000)


# of masked particles whose points learn from warped copies
FOLLOWED = {
    "architecture": "followed",
    "num_proposals": 40,
    "encoder_channels": (16, 32, 64),
    "reconstruction": "mse",
    "kl_weights": (0.4, 1e-4),
}
# the minutes end it: three quarters of them go to points, of which a step is cheap
TEN_MINUTES = Training(9000, 16, 3e-3, schedule="cosine", max_minutes=10.0, evaluate_every=1500)

POINTS = {
    "dlp-quick": Preset(
        "particles on generated shapes, learnt in minutes on two CPU cores",
        Recipe(
            "dlp",
            Source("shapes", {"count": 10000, "held_out": 1000}),
            {"presence_weight": 1.5, "phases": (0.1, 0.04), "kl_weights": (0.1, 1e-4)},
            Training(1900, 32, 2e-3, schedule="cosine", clip_norm=100.0, max_minutes=4.8, evaluate_every=475),
        ),
    ),
    "dlp-scenes": Preset(
        "particles on generated tabletop scenes, learnt in minutes",
        Recipe(
            "dlp",
            Source("scenes", {"count": 8000, "held_out": 500}),
            {
                "num_particles": 10,
                "glimpse_size": 24,
                # camera and lamp are never quite the same
                "background": "varying",
                "presence_weight": 1.5,
                "phases": (0.1, 0.04),
                "kl_weights": (0.1, 1e-4),
            },
            Training(1500, 32, 2e-3, schedule="cosine", clip_norm=100.0, evaluate_every=500),
        ),
    ),
    "dlp-shapes": Preset(
        # D and beta of the script; exclusive patches as there
        "the paper's toy set: 64 px, 40,000 pictures, 100 epochs",
        Recipe(
            "dlp",
            Source("shapes", {"count": 40000}),
            {
                "architecture": "published-exclusive",
                "num_proposals": 15,
                "feature_dim": 6,
                "kl_weights": (0.05, 5e-5),
                "phases": (0.01, 0.04),
            },
            _paper(62500, 1e-3, (0.2, 0.4, 0.8)),
        ),
    ),
    "dlp-celeba": Preset(
        "faces, masked model: 128 px, 30 particles (needs a folder of aligned faces)",
        Recipe(
            "dlp-masked",
            Source("folder", {"image_size": (128, 128)}),
            {"kl_weights": (40.0, 0.04)},
            replace(_paper(250000, 2e-4, (0.5,)), pairs=True),
        ),
    ),
    "dlp-clevrer": Preset(
        # D 5 of the table, not the example command's 6
        "tabletop videos, object model: 128 px, 10 particles (needs a folder of frames)",
        Recipe(
            "dlp",
            Source("folder", {"image_size": (128, 128)}),
            {
                "architecture": "published",
                "num_proposals": 20,
                "feature_dim": 5,
                "patch_size": 16,
                "glimpse_size": 32,
                "encoder_channels": (32, 64, 128, 256),
                "reconstruction": "vgg",
                "kl_weights": (40.0, 0.04),
                "phases": (0.01, 0.04),
            },
            _paper(250000, 2e-4, (0.5,)),
        ),
    ),
    "dlp-traffic": Preset(
        # D 20 of README, demo and checkpoint, not the script's 10
        "a road camera, object model: 128 px, 15 particles (needs a folder of frames)",
        Recipe(
            "dlp",
            Source("folder", {"image_size": (128, 128)}),
            {
                "architecture": "published",
                "num_particles": 15,
                "num_proposals": 20,
                "feature_dim": 20,
                "patch_size": 16,
                "glimpse_size": 32,
                "encoder_channels": (32, 64, 128, 256),
                "reconstruction": "vgg",
                "kl_weights": (30.0, 0.03),
                "phases": (0.02, 0.08),
            },
            _paper(250000, 2e-4, (0.5,)),
        ),
    ),
    "dlp-faces": Preset(
        "masked particles on generated faces, learnt in minutes",
        Recipe(
            "dlp-masked",
            Source("faces", {"image_size": (64, 64), "count": 10000, "held_out": 1000}),
            FOLLOWED,
            TEN_MINUTES,
        ),
    ),
    "dlp-animal": Preset(
        "masked particles on a generated animal that turns and bends, learnt in minutes",
        Recipe(
            "dlp-masked",
            Source("animal", {"image_size": (64, 64), "count": 10000, "held_out": 1000}),
            FOLLOWED,
            TEN_MINUTES,
        ),
    ),
    "keynet-quick": Preset(
        "keypoints without appearance, from pairs of a face and its warped copy",
        Recipe(
            "keynet",
            Source("faces", {"image_size": (64, 64), "count": 10000, "held_out": 1000}),
            {"encoder_channels": (16, 32, 64)},
            Training(4000, 16, 2e-3, max_minutes=10.0, evaluate_every=1000),
        ),
    ),
    "zhang-quick": Preset(
        "landmarks with features that follow when a face is warped",
        Recipe(
            "zhang",
            Source("faces", {"image_size": (64, 64), "count": 10000, "held_out": 1000}),
            {"widths": (16, 32, 32)},
            Training(4000, 16, 1e-3, max_minutes=10.0, evaluate_every=1000),
        ),
    ),
}
