"""LPIPS: how different two pictures look, as weighted differences of their VGG-16 features.

Zhang et al. 2018, https://arxiv.org/abs/1801.03924.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.nn.losses.vgg import enlarged
from motes.types.latents import Image

LEVELS = (3, 8, 15, 22, 29)  # after the last ReLU of each block, numbered as in torchvision
# of pictures in [-1, 1]
MIDDLE = (-0.030, -0.088, -0.188)
SPREAD = (0.458, 0.448, 0.450)


class Lpips(nn.Module):
    """Maps pairs of pictures in [0, 1] to one distance per pair; equal pictures have distance 0."""

    def __init__(self, network: nn.Module, weights: list[Tensor]):
        super().__init__()
        self.network = network
        for level, weight in enumerate(weights):
            self.register_buffer(f"weight_{level}", weight)
        self.register_buffer("middle", torch.tensor(MIDDLE).view(1, 3, 1, 1))
        self.register_buffer("spread", torch.tensor(SPREAD).view(1, 3, 1, 1))

    def forward(self, drawn: Image, target: Image) -> Float[Tensor, "B"]:
        total = torch.zeros(len(drawn), device=drawn.device)
        pairs = zip(self._features(drawn), self._features(target), strict=True)
        for level, (ours, theirs) in enumerate(pairs):
            weighted = ((ours - theirs).square() * self.get_buffer(f"weight_{level}")).sum(1)
            total = total + weighted.mean((1, 2))
        return total

    def _features(self, image: Tensor) -> list[Tensor]:
        """The features of each level, scaled to length one at each pixel."""
        x = self._normalised(image)
        features = []
        for number, layer in enumerate(self.network.children()):
            x = layer(x)
            if number in LEVELS:
                features.append(_of_length_one(x))
            if number == LEVELS[-1]:
                break
        return features

    def _normalised(self, image: Tensor) -> Tensor:
        """The picture as VGG reads it: normalised, grey as three equal channels, enlarged to at least 32
        pixels a side."""
        coloured = enlarged(image).clamp(0, 1).expand(-1, 3, -1, -1)
        return (2 * coloured - 1 - self.get_buffer("middle")) / self.get_buffer("spread")


def _of_length_one(features: Float[Tensor, "B F h w"]) -> Float[Tensor, "B F h w"]:
    return features / (features.square().sum(1, keepdim=True).sqrt() + 1e-10)
