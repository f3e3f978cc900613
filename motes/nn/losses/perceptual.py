"""RECONSTRUCTIONS: what counts as a good picture; modules from (drawn, wanted) to one number a picture."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.nn.losses.texture_features import PIXEL_SPREAD, random_features, texture_features
from motes.nn.losses.vgg import vgg
from motes.ops.pictures.image_loss import absolute, cross_entropy, laplacian_error, squared_error


class SquaredError(nn.Module):
    """Summed over pixels and channels: a Gaussian likelihood with variance 1/2."""

    def forward(
        self, drawn: Float[Tensor, "B C H W"], wanted: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B"]:
        return squared_error(drawn, wanted)


class AbsoluteError(nn.Module):
    """Summed over pixels and channels: a Laplacian likelihood; a few pixels that are far off count less than
    under squares."""

    def forward(
        self, drawn: Float[Tensor, "B C H W"], wanted: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B"]:
        return absolute(drawn, wanted).sum((1, 2, 3))


class CrossEntropy(nn.Module):
    """Summed over pixels and channels: a Bernoulli likelihood, of what is drawn in [0, 1]."""

    def forward(
        self, drawn: Float[Tensor, "B C H W"], wanted: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B"]:
        return cross_entropy(drawn, wanted).sum((1, 2, 3))


class Pyramid(nn.Module):
    """Squared error and a tenth of the absolute error over a Laplacian pyramid: sharper edges, nothing to
    download."""

    def forward(
        self, drawn: Float[Tensor, "B C H W"], wanted: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B"]:
        return squared_error(drawn, wanted) + 0.1 * laplacian_error(drawn, wanted)


class FeatureLoss(nn.Module):
    """Squared error of pixels and of a network's features (Hoshen et al. 2019,
    https://arxiv.org/abs/1812.08985), each summed over a picture.

    The network is made when first needed. It is frozen, is no part of the model's parameters or checkpoints,
    and the wanted picture carries no gradient through it.
    """

    def __init__(self, make: Callable[[], nn.Module]):
        super().__init__()
        self._make = make
        self._network: list[nn.Module] = []  # in a list: hidden from parameters() and state_dict()

    def forward(
        self, drawn: Float[Tensor, "B C H W"], wanted: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B"]:
        error = squared_error(drawn, wanted)
        for ours, theirs in self._pairs(drawn, wanted):
            error = error + squared_error(ours, theirs)
        return error

    def placed(
        self, drawn: Float[Tensor, "B C H W"], wanted: Float[Tensor, "B C H W"]
    ) -> list[Float[Tensor, "B h w"]]:
        """Absolute errors at each place, the mean of the channels: of the pixels, then of each level (Chen &
        Koltun 2017)."""
        return _errors([(drawn, wanted), *self._pairs(drawn, wanted)])

    def windowed(
        self, drawn: Float[Tensor, "B C H W"], wanted: Float[Tensor, "B C H W"], window: int
    ) -> list[Float[Tensor, "B h w"]]:
        """Absolute errors of what is alike wherever the parts of a texture lie: of colours over half a
        window, then, over windows, of how neighbours go together and of features, both of what is finer than
        a window.

        The network sees grey: a channel's mean cannot tell which colours go together, and what is drawn to
        please it is confetti.
        """
        colours = [averaged(image, window // 2) for image in (drawn, wanted)]
        fine = detail(drawn, window)
        true = detail(wanted, window)
        pairs = [
            (together(fine, window), together(true, window)),
            *self._pairs(0.5 + _grey(fine), 0.5 + _grey(true)),
        ]
        sides = [
            window,
            *(window >> n for n in range(len(pairs) - 1)),
        ]  # in pixels of each level, about the same part of the picture
        return _errors(
            [
                colours,
                *([averaged(maps, side) for maps in pair] for side, pair in zip(sides, pairs, strict=True)),
            ]
        )

    def _pairs(self, drawn: Tensor, wanted: Tensor) -> list[tuple[Tensor, Tensor]]:
        if not self._network:
            self._network.append(self._make())
        network = self._network[0].to(drawn.device)
        with torch.no_grad():
            targets = network(wanted)
        return list(zip(network(drawn), targets, strict=True))


FEATURES: dict[str, Callable[[], nn.Module]] = {
    "vgg": vgg,
    "textures": texture_features,
    "random-features": random_features,
}
RECONSTRUCTIONS: dict[str, Callable[[], nn.Module]] = {
    "mse": SquaredError,
    "absolute": AbsoluteError,
    "cross-entropy": CrossEntropy,
    "pyramid": Pyramid,
    **{name: partial(FeatureLoss, make) for name, make in FEATURES.items()},
}


def reconstruction_loss(name: str) -> nn.Module:
    if name not in RECONSTRUCTIONS:
        raise UserError(f"reconstruction {name!r} is unknown; choose one of {', '.join(RECONSTRUCTIONS)}")
    return RECONSTRUCTIONS[name]()


def placed_loss(name: str, window: int = 1) -> Callable[[Tensor, Tensor], list[Tensor]]:
    """(drawn, wanted) to maps of what is wrong where, B h w: of the pixels, and of each level where the loss
    has features."""
    loss = reconstruction_loss(name)
    if isinstance(loss, FeatureLoss):
        return partial(loss.windowed, window=window) if window > 1 else loss.placed
    return lambda drawn, wanted: _errors([(drawn, wanted)])


def detail(image: Float[Tensor, "B C H W"], window: int) -> Float[Tensor, "B C H W"]:
    """What is finer than a window; zero on average."""
    return image - F.avg_pool2d(image, 2 * window + 1, 1, window, count_include_pad=False)


def together(fine: Float[Tensor, "B C H W"], window: int) -> Float[Tensor, "B P H W"]:
    """Products of all pairs of colours, of each pixel with itself and with those to the right of it and
    below, up to half a window: their means are the covariances of a texture, and tell its strength, its hues
    and its rhythm (Portilla & Simoncelli 2000)."""
    steps = [(0, 0), *((0, n + 1) for n in range(window // 2)), *((n + 1, 0) for n in range(window // 2))]
    beside = torch.cat([F.pad(fine, (0, right, 0, down))[..., down:, right:] for down, right in steps], 1)
    return rearrange(fine, "b c h w -> b c 1 h w").mul(beside[:, None]).flatten(1, 2) / PIXEL_SPREAD**2


def averaged(maps: Float[Tensor, "B C h w"], window: int) -> Float[Tensor, "B C r s"]:
    """Over windows that overlap by halves."""
    side = min(window, *maps.shape[-2:])
    return F.avg_pool2d(maps, side, max(side // 2, 1)) if side > 1 else maps


def _grey(image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 1 H W"]:
    return image.mean(1, keepdim=True)


def _errors(pairs: Iterable[Sequence[Tensor]]) -> list[Tensor]:
    return [absolute(ours, theirs).mean(1) for ours, theirs in pairs]
