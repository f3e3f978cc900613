"""RECONSTRUCTIONS: what counts as a good picture; modules from (drawn, wanted) to one number a picture."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.nn.texture_features import random_features, texture_features
from motes.ops.image_loss import absolute, cross_entropy, laplacian_error, squared_error

VGG_FILE = "vgg16-397923af.pth"  # the last eight letters begin its SHA-256
VGG_WIDTHS = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool")
VGG_LEVELS = (
    2,
    7,
    12,
    21,
    30,
)  # torchvision's places; its ReLUs work in place, so what stands at a convolution is read after the ReLU


class SquaredError(nn.Module):
    """Summed over pixels and channels: a Gaussian likelihood with variance 1/2."""

    def forward(self, drawn: Float[Tensor, "B C H W"], wanted: Float[Tensor, "B C H W"]) -> Float[Tensor, "B"]:
        return squared_error(drawn, wanted)


class AbsoluteError(nn.Module):
    """Summed over pixels and channels: a Laplacian likelihood; a few pixels that are far off count less than under squares."""

    def forward(self, drawn: Float[Tensor, "B C H W"], wanted: Float[Tensor, "B C H W"]) -> Float[Tensor, "B"]:
        return absolute(drawn, wanted).sum((1, 2, 3))


class CrossEntropy(nn.Module):
    """Summed over pixels and channels: a Bernoulli likelihood, of what is drawn in [0, 1]."""

    def forward(self, drawn: Float[Tensor, "B C H W"], wanted: Float[Tensor, "B C H W"]) -> Float[Tensor, "B"]:
        return cross_entropy(drawn, wanted).sum((1, 2, 3))


class Pyramid(nn.Module):
    """Squared error and a tenth of the absolute error over a Laplacian pyramid: sharper edges, nothing to download."""

    def forward(self, drawn: Float[Tensor, "B C H W"], wanted: Float[Tensor, "B C H W"]) -> Float[Tensor, "B"]:
        return squared_error(drawn, wanted) + 0.1 * laplacian_error(drawn, wanted)


class FeatureLoss(nn.Module):
    """Squared error of pixels and of a network's features (Hoshen et al. 2019, https://arxiv.org/abs/1812.08985), each summed over a picture.

    The network is made when first needed. It is frozen, is no part of the model's parameters or checkpoints, and the wanted picture
    carries no gradient through it.
    """

    def __init__(self, make: Callable[[], nn.Module]):
        super().__init__()
        self._make = make
        self._network: list[nn.Module] = []  # in a list: hidden from parameters() and state_dict()

    def forward(self, drawn: Float[Tensor, "B C H W"], wanted: Float[Tensor, "B C H W"]) -> Float[Tensor, "B"]:
        error = squared_error(drawn, wanted)
        for ours, theirs in self._pairs(drawn, wanted):
            error = error + squared_error(ours, theirs)
        return error

    def placed(self, drawn: Float[Tensor, "B C H W"], wanted: Float[Tensor, "B C H W"], window: int) -> list[Float[Tensor, "B h w"]]:
        """Absolute errors at each place, the mean of the channels: of the pixels, then of each level (Chen & Koltun 2017).

        With a window of more than a pixel, features are of what is finer than it, and means over it: they tell a texture, and neither
        where its parts are nor the colour it lies on.
        """
        pairs = self._pairs(detail(drawn, window), detail(wanted, window))
        levels = [(averaged(ours, window >> n), averaged(theirs, window >> n)) for n, (ours, theirs) in enumerate(pairs)]
        return [absolute(ours, theirs).mean(1) for ours, theirs in [(drawn, wanted), *levels]]

    def _pairs(self, drawn: Tensor, wanted: Tensor) -> list[tuple[Tensor, Tensor]]:
        if not self._network:
            self._network.append(self._make())
        network = self._network[0].to(drawn.device)
        with torch.no_grad():
            targets = network(wanted)
        return list(zip(network(drawn), targets, strict=True))


class VggFeatures(nn.Module):
    """VGG-16 up to the last of VGG_LEVELS."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, image: Float[Tensor, "B C H W"]) -> list[Tensor]:
        return vgg_features(self.network, image)


def vgg() -> nn.Module:
    return VggFeatures(load_vgg(find_vgg_weights())).eval()


FEATURES: dict[str, Callable[[], nn.Module]] = {"vgg": vgg, "textures": texture_features, "random-features": random_features}
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
    """(drawn, wanted) to maps of what is wrong where, B h w: of the pixels, and of each level where the loss has features."""
    loss = reconstruction_loss(name)
    if isinstance(loss, FeatureLoss):
        return partial(loss.placed, window=window)
    return lambda drawn, wanted: [absolute(drawn, wanted).mean(1)]


def detail(image: Float[Tensor, "B C H W"], window: int) -> Float[Tensor, "B C H W"]:
    """What is finer than a window, on grey."""
    if window <= 1:
        return image
    return 0.5 + image - F.avg_pool2d(image, 2 * window + 1, 1, window, count_include_pad=False)


def averaged(maps: Float[Tensor, "B C h w"], window: int) -> Float[Tensor, "B C r s"]:
    """Over windows that overlap by halves."""
    side = min(window, *maps.shape[-2:])
    return F.avg_pool2d(maps, side, max(side // 2, 1)) if side > 1 else maps


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
        features = {key.removeprefix("features."): value for key, value in weights.items() if key.startswith("features.")}
        network = vgg_network()
        network.load_state_dict(features)
    except Exception as problem:
        raise UserError(
            f"{path} does not hold VGG-16 weights ({type(problem).__name__}); fetch {VGG_FILE} again, or train with --model.reconstruction mse"
        ) from None
    return network.eval().requires_grad_(False)


def vgg_features(network: nn.Module, image: Float[Tensor, "B C H W"]) -> list[Tensor]:
    """Features at VGG_LEVELS. Grey pictures become three equal channels; pictures under 32 pixels are enlarged, or no level is left."""
    if image.shape[1] == 1:
        image = image.expand(-1, 3, -1, -1)
    image = enlarged(image)
    found, last = [], max(VGG_LEVELS)
    for number, layer in enumerate(network.children()):
        image = layer(image)
        if (number in VGG_LEVELS and isinstance(layer, nn.MaxPool2d)) or (number - 1 in VGG_LEVELS and isinstance(layer, nn.ReLU)):
            found.append(image)
        if number == last:
            break
    return found


def enlarged(image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C h w"]:
    """To 32 pixels, where a side has fewer."""
    least = min(image.shape[-2:])
    return image if least >= 32 else F.interpolate(image, scale_factor=32 / least, mode="bilinear", align_corners=False)


def vgg_places() -> list[Path]:
    """Where the weights are looked for, in order; the last is where a download goes."""
    named = os.environ.get("MOTES_VGG_WEIGHTS")
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    hub, pattern = Path(os.environ.get("HF_HUB_CACHE", home / "hub")), f"models--*/snapshots/*/{VGG_FILE}"
    shared = sorted(hub.glob(pattern)) or [hub / pattern]  # the pattern itself is there to be named in the error
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
            f"https://download.pytorch.org/models/{VGG_FILE}", str(target), hash_prefix="397923af", progress=False
        )
        return target
    except Exception:
        looked = ", ".join(str(place) for place in places)
        raise UserError(
            f"the weights of VGG-16 ({VGG_FILE}, SHA-256 beginning 397923af) are in none of {looked} and could not be downloaded; "
            "put the file there, name it by --vgg-weights or in MOTES_VGG_WEIGHTS, or train with --model.reconstruction mse or pyramid"
        ) from None
