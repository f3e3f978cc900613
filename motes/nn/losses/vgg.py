"""VGG-16: its convolutional half, and its features of pictures at five depths."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from motes.types.latents import Image

POOL = "pool"
VGG_WIDTHS = (
    *(64, 64, POOL),
    *(128, 128, POOL),
    *(256, 256, 256, POOL),
    *(512, 512, 512, POOL),
    *(512, 512, 512, POOL),
)
# Layers as torchvision numbers them. Its ReLUs work in place, so the features of a convolution are read
# after the ReLU.
VGG_LEVELS = (2, 7, 12, 21, 30)
LEAST_SIDE = 32  # pixels; under it, no level is left


class VggFeatures(nn.Module):
    """Maps a picture to the features of VGG-16 at each of VGG_LEVELS."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, image: Image) -> list[Tensor]:
        return vgg_features(self.network, image)


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


def vgg_features(network: nn.Module, image: Image) -> list[Tensor]:
    """The features of a picture at each of VGG_LEVELS.

    Grey pictures become three equal channels, and small pictures are enlarged.
    """
    x = enlarged(image.expand(-1, 3, -1, -1) if image.shape[1] == 1 else image)
    features = []
    for number, layer in enumerate(network.children()):
        x = layer(x)
        if _is_read(number, layer):
            features.append(x)
        if number == max(VGG_LEVELS):
            break
    return features


def _is_read(number: int, layer: nn.Module) -> bool:
    pool = number in VGG_LEVELS and isinstance(layer, nn.MaxPool2d)
    rectified = number - 1 in VGG_LEVELS and isinstance(layer, nn.ReLU)
    return pool or rectified


def enlarged(image: Image) -> Float[Tensor, "B C h w"]:
    """The picture, enlarged so that no side has fewer than LEAST_SIDE pixels."""
    least = min(image.shape[-2:])
    if least >= LEAST_SIDE:
        return image
    return F.interpolate(image, scale_factor=LEAST_SIDE / least, mode="bilinear", align_corners=False)
