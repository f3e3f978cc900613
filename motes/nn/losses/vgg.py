"""VGG-16: its convolutional half, where its weights are looked for, and what it says of pictures at five
depths."""

import os
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError

VGG_FILE = "vgg16-397923af.pth"  # the last eight letters begin its SHA-256
VGG_WIDTHS = (
    64,
    64,
    "pool",
    128,
    128,
    "pool",
    256,
    256,
    256,
    "pool",
    512,
    512,
    512,
    "pool",
    512,
    512,
    512,
    "pool",
)
VGG_LEVELS = (
    2,
    7,
    12,
    21,
    30,
)  # torchvision's places; its ReLUs work in place, so what stands at a convolution is read after the ReLU


class VggFeatures(nn.Module):
    """VGG-16 up to the last of VGG_LEVELS."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, image: Float[Tensor, "B C H W"]) -> list[Tensor]:
        return vgg_features(self.network, image)


def vgg() -> nn.Module:
    return VggFeatures(load_vgg(find_vgg_weights())).eval()


def vgg_network() -> nn.Sequential:
    """The convolutional half of VGG-16 (https://arxiv.org/abs/1409.1556), numbered as in torchvision."""
    layers: list[nn.Module] = []
    channels = 3
    for width in VGG_WIDTHS:
        if isinstance(width, str):
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
    return nn.Sequential(*layers)


def load_vgg(path: Path) -> nn.Module:
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
        features = {
            key.removeprefix("features."): value
            for key, value in weights.items()
            if key.startswith("features.")
        }
        network = vgg_network()
        network.load_state_dict(features)
    except Exception as problem:
        raise UserError(
            f"{path} does not hold VGG-16 weights ({type(problem).__name__}); fetch {VGG_FILE} again, or train with --model.reconstruction mse"
        ) from None
    return network.eval().requires_grad_(False)


def vgg_features(network: nn.Module, image: Float[Tensor, "B C H W"]) -> list[Tensor]:
    """Features at VGG_LEVELS. Grey pictures become three equal channels; pictures under 32 pixels are
    enlarged, or no level is left."""
    if image.shape[1] == 1:
        image = image.expand(-1, 3, -1, -1)
    image = enlarged(image)
    found = []
    last = max(VGG_LEVELS)
    for number, layer in enumerate(network.children()):
        image = layer(image)
        if (number in VGG_LEVELS and isinstance(layer, nn.MaxPool2d)) or (
            number - 1 in VGG_LEVELS and isinstance(layer, nn.ReLU)
        ):
            found.append(image)
        if number == last:
            break
    return found


def enlarged(image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C h w"]:
    """To 32 pixels, where a side has fewer."""
    least = min(image.shape[-2:])
    return (
        image
        if least >= 32
        else F.interpolate(image, scale_factor=32 / least, mode="bilinear", align_corners=False)
    )


def vgg_places() -> list[Path]:
    """Where the weights are looked for, in order; the last is where a download goes."""
    named = os.environ.get("MOTES_VGG_WEIGHTS")
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    hub = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    pattern = f"models--*/snapshots/*/{VGG_FILE}"
    shared = sorted(hub.glob(pattern)) or [
        hub / pattern
    ]  # the pattern itself is there to be named in the error
    return [*([Path(named)] if named else []), *shared, Path(torch.hub.get_dir()) / "checkpoints" / VGG_FILE]


def find_vgg_weights() -> Path:
    places = vgg_places()
    for place in places:
        if place.is_file():
            return place
    try:
        target = places[-1]
        target.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(
            f"https://download.pytorch.org/models/{VGG_FILE}",
            str(target),
            hash_prefix="397923af",
            progress=False,
        )
        return target
    except Exception:
        looked = ", ".join(str(place) for place in places)
        raise UserError(
            f"the weights of VGG-16 ({VGG_FILE}, SHA-256 beginning 397923af) are in none of {looked} and could not be downloaded; "
            "put the file there, name it by --vgg-weights or in MOTES_VGG_WEIGHTS, or train with --model.reconstruction mse or pyramid"
        ) from None
