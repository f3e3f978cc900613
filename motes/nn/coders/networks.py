"""NETWORKS: networks from pictures to numbers and back: convolutional, dense, tied or linear.

A tied network has one layer and draws by its transpose; a linear one has a matrix each way. Pictures are
drawn before the last squashing, because a Bernoulli loss needs them so, and a linear network does not squash.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.nn.blocks.mlp import mlp
from motes.nn.blocks.normalisation import BatchNorm
from motes.nn.blocks.upward import UpwardNetwork
from motes.types.latents import Image

LEAST_SIDE = 7  # of the maps that the linear layer reads; larger ones are halved again
MOST_CHANNELS = 128


@runtime_checkable
class HasPictureShape(Protocol):
    """The options of a model that the shape of its pictures depends on."""

    @property
    def channels(self) -> int: ...

    @property
    def image_size(self) -> tuple[int, int]: ...


@dataclass(frozen=True)
class PictureShape:
    """The shape of the pictures that a network reads or draws."""

    channels: int
    rows: int
    columns: int

    @classmethod
    def of(cls, config: HasPictureShape) -> "PictureShape":
        channels = config.channels
        size = config.image_size
        if channels < 1 or min(size) < 1:
            raise UserError(f"image_size {size} and channels {channels} must be at least 1")
        return cls(channels, *size)

    @property
    def numbers(self) -> int:
        return self.channels * self.rows * self.columns


@dataclass(frozen=True)
class PictureNetwork:
    """A kind of network in both directions: reader(shape, width, outputs) and drawer(shape, width, code)."""

    reader: Callable[[PictureShape, int, int], nn.Module]
    drawer: Callable[[PictureShape, int, int], nn.Module]
    # whether what it draws goes through a sigmoid
    squashed: bool
    # a drawer with the reader's weights, where both are at hand
    tie: Callable[[nn.Module, PictureShape], nn.Module] | None = None


def _convolutions_down(shape: PictureShape, width: int, outputs: int) -> nn.Module:
    layers: list[nn.Module] = []
    channels = shape.channels
    size = (shape.rows, shape.columns)
    while min(size) > LEAST_SIDE:
        layers += _halving(channels, width)
        channels = width
        width = min(2 * width, MOST_CHANNELS)
        size = (size[0] // 2, size[1] // 2)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * prod(size), outputs))


def _halving(inputs: int, outputs: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
    return [convolution, BatchNorm(outputs), nn.ReLU()]


def _convolutions_up(shape: PictureShape, width: int, code: int) -> nn.Module:
    return UpwardNetwork(code, (shape.rows, shape.columns), shape.channels, 2 * width, direct=True)


def _dense_down(shape: PictureShape, width: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), mlp(shape.numbers, width, width, outputs))


def _dense_up(shape: PictureShape, width: int, code: int) -> nn.Module:
    return nn.Sequential(mlp(code, width, width, shape.numbers), ToPicture(shape))


def _matrix_down(shape: PictureShape, width: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(shape.numbers, outputs))


def _matrix_up(shape: PictureShape, width: int, code: int) -> nn.Module:
    return nn.Sequential(nn.Linear(code, shape.numbers), ToPicture(shape))


def _tied_down(shape: PictureShape, width: int, outputs: int) -> nn.Module:
    """A tied reader whose weights begin near zero.

    What a unit responds to is then learnt, and not a remainder of its random start.
    """
    linear = nn.Linear(shape.numbers, outputs)
    nn.init.normal_(linear.weight, std=0.01)
    nn.init.zeros_(linear.bias)
    return nn.Sequential(nn.Flatten(), AboutGrey(), linear, nn.ReLU())


def _tie(reader: nn.Module, shape: PictureShape) -> nn.Module:
    return nn.Sequential(Transposed(reader[2]), ToPicture(shape))  # type: ignore[index]


def sigmoid_layer(inputs: int, outputs: int) -> nn.Sequential:
    """A linear layer and a sigmoid. Initial weights are four times as large as is usual for tanh.

    Sigmoids need this (Glorot & Bengio 2010).
    """
    linear = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(linear.weight, gain=4)
    nn.init.zeros_(linear.bias)
    return nn.Sequential(linear, nn.Sigmoid())


class AboutGrey(nn.Module):
    """Maps values in [0, 1] to [-1, 1].

    Otherwise the mean light, which all pictures share, would dominate each unit's gradient.
    """

    def forward(self, light: Tensor) -> Tensor:
        return 2 * light - 1


class Transposed(nn.Module):
    """Draws pictures by the transposed weights of a layer that reads them; zero gives middle grey."""

    def __init__(self, reader: nn.Linear):
        super().__init__()
        # in a list: its weights are the reader's parameters, and saved once
        self._reader = [reader]
        self.bias = nn.Parameter(torch.zeros(reader.in_features))

    def forward(self, code: Float[Tensor, "B F"]) -> Float[Tensor, "B P"]:
        return 0.5 + 0.5 * (code @ self._reader[0].weight + self.bias)


class ToPicture(nn.Module):
    """Reshapes rows of numbers to pictures: channels, rows and columns."""

    def __init__(self, shape: PictureShape):
        super().__init__()
        self.shape = shape

    def forward(self, numbers: Float[Tensor, "B P"]) -> Image:
        return numbers.unflatten(1, (self.shape.channels, self.shape.rows, self.shape.columns))


NETWORKS = {
    "convolutional": PictureNetwork(_convolutions_down, _convolutions_up, squashed=True),
    "dense": PictureNetwork(_dense_down, _dense_up, squashed=True),
    # rectified units, which draw by the weights that they read with
    "tied": PictureNetwork(_tied_down, _matrix_up, squashed=False, tie=_tie),
    "linear": PictureNetwork(_matrix_down, _matrix_up, squashed=False),
}


def picture_network(name: str) -> PictureNetwork:
    if name not in NETWORKS:
        raise UserError(f"there is no network {name!r}; choose one of {', '.join(NETWORKS)}")
    return NETWORKS[name]


class PictureCoder(nn.Module):
    """The two networks of a kind: `read` maps a picture to a code, and `draw` a code to a picture."""

    def __init__(self, name: str, shape: PictureShape, width: int, code: int):
        super().__init__()
        if code < 1 or width < 1:
            raise UserError(f"code_dim {code} and width {width} must be at least 1")
        kind = picture_network(name)
        self.shape = shape
        self.read = kind.reader(shape, width, code)
        drawer = kind.tie(self.read, shape) if kind.tie else kind.drawer(shape, width, code)
        self.draw = nn.Sequential(drawer, nn.Sigmoid() if kind.squashed else nn.Identity())

    def weights(self) -> list[nn.Parameter]:
        """The matrices and kernels, without biases."""
        return [parameter for parameter in self.parameters() if parameter.dim() > 1]

    def squared_weights(self) -> Float[Tensor, ""]:
        """The sum of the squares of all matrices and kernels."""
        return torch.stack([weight.square().sum() for weight in self.weights()]).sum()
