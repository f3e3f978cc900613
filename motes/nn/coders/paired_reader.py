"""Two pictures to numbers that tell how they differ: one reader for both, then layers that see what it gave
of each."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.nn.blocks.mlp import mlp
from motes.nn.coders.networks import PictureShape


class PairedReader(nn.Module):
    """Strided convolutions, no pooling: where things are must not be lost. Nothing is normalised over the
    batch, in which starts are mixed.

    The two meet at a quarter of the side, where a shift still shows. The last layer begins at a tenth:
    numbers near zero at first.
    """

    def __init__(self, shape: PictureShape, width: int, outputs: int, hidden: int = 256):
        super().__init__()
        self.reader = nn.Sequential(
            nn.Conv2d(shape.channels, width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.ReLU(),
        )
        layers: list[nn.Module] = []
        channels = 4 * width
        size = (shape.rows // 4, shape.columns // 4)
        while min(size) > 4:
            layers += [nn.Conv2d(channels, 4 * width, 4, stride=2, padding=1), nn.ReLU()]
            channels = 4 * width
            size = (size[0] // 2, size[1] // 2)
        self.mix = nn.Sequential(*layers, nn.Flatten())
        self.head = mlp(channels * size[0] * size[1], hidden, hidden, outputs)
        with torch.no_grad():
            for parameter in self.head[-1].parameters():
                parameter.mul_(0.1)

    def read(self, image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        return self.reader(image)

    def compare(
        self, first: Float[Tensor, "B D h w"], second: Float[Tensor, "B D h w"]
    ) -> Float[Tensor, "B n"]:
        """Of two pictures that were read: one may be compared with many."""
        return self.head(self.mix(torch.cat([first, second - first], 1)))
