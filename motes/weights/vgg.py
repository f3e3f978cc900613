"""VGG-16 with its trained weights: found on this machine, or downloaded and verified."""

from pathlib import Path

import torch
from torch import nn

from motes.errors import UserError
from motes.nn.losses.vgg import VggFeatures, vgg_network
from motes.weights.places import VGG_FILE, first_file, vgg_paths

HASH = "397923af"


def trained_vgg() -> nn.Module:
    """VGG-16 as a frozen feature network; its weights are downloaded if they are nowhere on this machine."""
    return VggFeatures(load_vgg(find_vgg_weights())).eval()


def load_vgg(path: Path) -> nn.Module:
    """The convolutional half of VGG-16, frozen, from a file that torch saved."""
    network = vgg_network()
    try:
        network.load_state_dict(_convolutional_half(path))
    except Exception as problem:
        raise UserError(
            f"{path} does not hold VGG-16 weights ({type(problem).__name__}); "
            f"fetch {VGG_FILE} again, or train with --model.reconstruction mse"
        ) from None
    return network.eval().requires_grad_(False)


def find_vgg_weights() -> Path:
    """The first of `vgg_paths` that is a file; if there is none, the weights are downloaded."""
    paths = vgg_paths()
    return first_file(paths) or _download(paths)


def _convolutional_half(path: Path) -> dict[str, torch.Tensor]:
    weights = torch.load(path, map_location="cpu", weights_only=True)
    start = "features."
    return {key.removeprefix(start): value for key, value in weights.items() if key.startswith(start)}


def _download(paths: list[Path]) -> Path:
    """Download the weights to the last of the paths, and return it; an error names all the paths."""
    target = paths[-1]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(
            f"https://download.pytorch.org/models/{VGG_FILE}", str(target), hash_prefix=HASH, progress=False
        )
    except Exception:
        raise UserError(
            f"the weights of VGG-16 ({VGG_FILE}, SHA-256 beginning {HASH}) are in none of "
            f"{', '.join(map(str, paths))} and could not be downloaded; "
            "put the file there, name it by --vgg-weights or in MOTES_VGG_WEIGHTS, "
            "or train with --model.reconstruction mse or pyramid"
        ) from None
    return target
