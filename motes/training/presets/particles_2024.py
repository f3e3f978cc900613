"""Presets of the single-picture model of DDLP (DLPv2), as near as motes' own networks come to it.

Sizes, weights of the loss and the schedule are those of the released code (Daniel & Tamar 2024,
https://arxiv.org/abs/2306.05957). The networks, the priors of position and scale and the background are those of
`sized`: docs/dlpv2.md lists the differences.
"""

from motes.data.source import Source
from motes.training.presets.preset import Preset
from motes.training.recipe import Recipe, Training

EPOCHS = 150
# the learning rate falls by 5 % an epoch, which is one half in this many
HALVING_EPOCHS = 13.5134
# weight of the KL of looks, depths and the background over that of positions, scales and presence
KL_BALANCE = 1e-3

MODEL = {
    "architecture": "sized",
    "presence_posterior": "beta",
    # all patches: 64 px in patches of 8, 128 px in patches of 16
    "num_proposals": 64,
    # one epoch of single glimpses, one of noise
    "phases": (1 / EPOCHS, 1 / EPOCHS),
}
OF_128_PIXELS = {
    "feature_dim": 8,
    "patch_size": 16,
    "glimpse_size": 32,
    "reconstruction": "vgg",
    "kl_weights": (40.0, 40.0 * KL_BALANCE),
}


def _training(steps: int) -> Training:
    halvings = tuple(number * HALVING_EPOCHS / EPOCHS for number in range(1, 12))
    return Training(steps, 32, 2e-4, 1e-4, "halving", halvings, warm_steps=0, evaluate_every=1000)


SUCCESSORS = {
    "dlp2": Preset(
        # 150 epochs of 40,000 pictures; D as in the preset of 2022
        "DLPv2 on the paper's toy set: sizes and depths, presence from Beta distributions, 64 px, 150 epochs",
        Recipe(
            "dlp",
            Source("shapes", {"count": 40000}),
            {**MODEL, "feature_dim": 6, "kl_weights": (0.05, 0.05 * KL_BALANCE)},
            _training(187500),
        ),
    ),
    "dlp2-obj3d": Preset(
        "DLPv2 for single pictures of a few moving solids, 128 px, 12 particles (needs a folder of frames)",
        Recipe(
            "dlp",
            Source("folder", {"image_size": (128, 128)}),
            {**MODEL, **OF_128_PIXELS, "num_particles": 12},
            _training(250000),
        ),
    ),
    "dlp2-traffic": Preset(
        "DLPv2 for single pictures of a road camera, 128 px, 25 particles (needs a folder of frames)",
        Recipe(
            "dlp",
            Source("folder", {"image_size": (128, 128)}),
            {**MODEL, **OF_128_PIXELS, "num_particles": 25},
            _training(250000),
        ),
    ),
}
