"""A network that maps two pictures to numbers that describe how they differ.

The same layers read both pictures, and further layers compare the results.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.nn.blocks.mlp import mlp
from motes.nn.coders.networks import PictureShape
from motes.types.latents import Image


class PairedReader(nn.Module):
    """Reads two pictures by strided convolutions, and compares the results.

    There is no pooling, because positions must not be lost, and no normalisation over the batch, in which
    starts are mixed. The two results meet at a quarter of the picture's side, where a shift still shows. The
    last layer starts with a tenth of the usual weights, so that its numbers are near zero at first.
    """

    def __init__(self, shape: PictureShape, width: int, outputs: int, hidden: int = 256):
        super().__init__()
        self.reader = nn.Sequential(*_halving(shape.channels, width), *_halving(width, 2 * width))
        layers: list[nn.Module] = []
        size = (shape.rows // 4, shape.columns // 4)
        while min(size) > 4:
            layers += _halving(4 * width, 4 * width)
            size = (size[0] // 2, size[1] // 2)
        self.mix = nn.Sequential(*layers, nn.Flatten())
        self.head = mlp(4 * width * size[0] * size[1], hidden, hidden, outputs)
        with torch.no_grad():
            for parameter in self.head[-1].parameters():
                parameter.mul_(0.1)

    def read(self, image: Image) -> Float[Tensor, "B D h w"]:
        return self.reader(image)

    def compare(
        self, first: Float[Tensor, "B D h w"], second: Float[Tensor, "B D h w"]
    ) -> Float[Tensor, "B n"]:
        """Numbers that describe how the second picture differs from the first, given what `read` made of
        both.

        One picture may be compared with many.
        """
        return self.head(self.mix(torch.cat([first, second - first], 1)))


def _halving(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.ReLU()]
