"""LPIPS with its trained weights, which are looked for on this machine and never downloaded.

Two files are needed: VGG-16, and the weights of the channels (`vgg.pth`, version 0.1), which the packages
lpips and torchmetrics contain.
"""

from pathlib import Path

import torch
from torch import Tensor

from motes.errors import UserError
from motes.nn.losses.lpips import LEVELS, Lpips
from motes.weights.places import VGG_FILE, first_file, lpips_paths, vgg_paths
from motes.weights.vgg import load_vgg

NO_PLACES = "the packages lpips and torchmetrics, nor in MOTES_LPIPS_WEIGHTS"


def missing_lpips_file() -> str | None:
    """Which file is missing, and where it was looked for; None if both files are present."""
    for name, paths in ((VGG_FILE, vgg_paths()), ("vgg.pth of LPIPS 0.1", lpips_paths())):
        if first_file(paths) is None:
            return f"{name} is in none of {', '.join(map(str, paths)) or NO_PLACES}"
    return None


def load_lpips() -> Lpips:
    """The LPIPS metric, frozen; raises a `UserError` if a file is missing or damaged."""
    vgg = first_file(vgg_paths())
    channels = first_file(lpips_paths())
    if vgg is None or channels is None:
        raise UserError(f"LPIPS cannot be computed: {missing_lpips_file()}")
    return Lpips(load_vgg(vgg), _channel_weights(channels)).eval().requires_grad_(False)


def _channel_weights(path: Path) -> list[Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return [state[f"lin{level}.model.1.weight"] for level in range(len(LEVELS))]
    except Exception as problem:
        raise UserError(
            f"{path} does not hold the channel weights of LPIPS ({type(problem).__name__})"
        ) from None
