"""Modules that compare pictures: from (drawn, target) to one number per picture.

They compare pixels, a pyramid, or a network's features.
"""

from collections.abc import Callable, Iterable, Sequence

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from motes.nn.losses.texture_features import PIXEL_SPREAD
from motes.ops.pictures.image_loss import absolute, cross_entropy, laplacian_error, squared_error
from motes.types.latents import Image


class SquaredError(nn.Module):
    """The squared error, summed over pixels and channels: a Gaussian likelihood with variance 1/2."""

    def forward(self, drawn: Image, target: Image) -> Float[Tensor, "B"]:
        return squared_error(drawn, target)


class AbsoluteError(nn.Module):
    """The absolute error, summed over pixels and channels: a Laplacian likelihood.

    A few pixels that are far off count less than under a squared error.
    """

    def forward(self, drawn: Image, target: Image) -> Float[Tensor, "B"]:
        return absolute(drawn, target).sum((1, 2, 3))


class CrossEntropy(nn.Module):
    """The cross-entropy, summed over pixels and channels: a Bernoulli likelihood, for drawn values in [0,
    1]."""

    def forward(self, drawn: Image, target: Image) -> Float[Tensor, "B"]:
        return cross_entropy(drawn, target).sum((1, 2, 3))


class PyramidLoss(nn.Module):
    """The squared error, plus a tenth of the absolute error over a Laplacian pyramid.

    It gives sharper edges than the squared error alone, and needs no download.
    """

    def forward(self, drawn: Image, target: Image) -> Float[Tensor, "B"]:
        return squared_error(drawn, target) + 0.1 * laplacian_error(drawn, target)


class FeatureLoss(nn.Module):
    """The squared error of pixels plus that of a network's features, each summed over a picture.

    Hoshen et al. 2019, https://arxiv.org/abs/1812.08985. The network is built when first needed. It is frozen
    and not part of the model's parameters or checkpoints, and no gradient flows through the features of the
    target.
    """

    def __init__(self, build: Callable[[], nn.Module]):
        super().__init__()
        self._build = build
        # in a list: hidden from parameters() and state_dict()
        self._network: list[nn.Module] = []

    def forward(self, drawn: Image, target: Image) -> Float[Tensor, "B"]:
        error = squared_error(drawn, target)
        for ours, theirs in self._pairs(drawn, target):
            error = error + squared_error(ours, theirs)
        return error

    def error_maps(self, drawn: Image, target: Image) -> list[Float[Tensor, "B h w"]]:
        """Maps of absolute errors, averaged over channels: of the pixels, then of each level of features.

        Chen & Koltun 2017.
        """
        return _mean_errors([(drawn, target), *self._pairs(drawn, target)])

    def texture_error_maps(self, drawn: Image, target: Image, window: int) -> list[Float[Tensor, "B h w"]]:
        """Maps of absolute errors of texture statistics, which do not depend on where the parts of a texture
        lie.

        The first map is the error of colours, averaged over half a window. The others are errors of detail
        finer than a window: of the covariances of neighbouring colours, then of the network's features. The
        network reads grey pictures: a channel's mean cannot tell which colours go together, and pictures
        drawn to suit it have coloured speckles.
        """
        colours = (averaged(drawn, window // 2), averaged(target, window // 2))
        fine = (detail(drawn, window), detail(target, window))
        pairs = [
            (colour_products(fine[0], window), colour_products(fine[1], window)),
            *self._pairs(0.5 + _grey(fine[0]), 0.5 + _grey(fine[1])),
        ]
        # in pixels of each level, about the same part of the picture
        sides = [window, *(window >> level for level in range(len(pairs) - 1))]
        windowed = ([averaged(maps, side) for maps in pair] for side, pair in zip(sides, pairs, strict=True))
        return _mean_errors([colours, *windowed])

    def _pairs(self, drawn: Tensor, target: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The features of both pictures, level by level."""
        if not self._network:
            self._network.append(self._build())
        network = self._network[0].to(drawn.device)
        with torch.no_grad():
            targets = network(target)
        return list(zip(network(drawn), targets, strict=True))


def pixel_error_map(drawn: Image, target: Image) -> list[Float[Tensor, "B H W"]]:
    """A list of one map: the absolute error of each pixel, averaged over channels."""
    return _mean_errors([(drawn, target)])


def detail(image: Image, window: int) -> Image:
    """The part of the picture that is finer than a window; it is zero on average."""
    return image - F.avg_pool2d(image, 2 * window + 1, 1, window, count_include_pad=False)


def colour_products(fine: Image, window: int) -> Float[Tensor, "B P H W"]:
    """Products of colours, of each pixel with itself and with its neighbours to the right and below.

    Neighbours lie up to half a window away. The products' means are the covariances of a texture: its
    strength, its hues and its rhythm (Portilla & Simoncelli 2000).
    """
    reach = window // 2
    steps = [(0, 0), *((0, n + 1) for n in range(reach)), *((n + 1, 0) for n in range(reach))]
    neighbours = torch.cat([_moved(fine, down, right) for down, right in steps], 1)
    return rearrange(fine, "b c h w -> b c 1 h w").mul(neighbours[:, None]).flatten(1, 2) / PIXEL_SPREAD**2


def averaged(maps: Float[Tensor, "B C h w"], window: int) -> Float[Tensor, "B C r s"]:
    """The means of the maps over windows, which overlap by half."""
    side = min(window, *maps.shape[-2:])
    return F.avg_pool2d(maps, side, max(side // 2, 1)) if side > 1 else maps


def _moved(image: Image, down: int, right: int) -> Image:
    """The picture moved up and left by `down` and `right` pixels; zeros come in at the edges."""
    return F.pad(image, (0, right, 0, down))[..., down:, right:]


def _grey(image: Image) -> Float[Tensor, "B 1 H W"]:
    return image.mean(1, keepdim=True)


def _mean_errors(pairs: Iterable[Sequence[Tensor]]) -> list[Tensor]:
    return [absolute(ours, theirs).mean(1) for ours, theirs in pairs]
