"""LPIPS: how different two pictures look, by weighted differences of VGG-16 features (Zhang et al. 2018,
https://arxiv.org/abs/1801.03924).

Two files are needed, both of which are only ever looked for on this machine: VGG-16 as in `perceptual`, and
the weights of the channels (`vgg.pth`, version 0.1), which the packages lpips and torchmetrics carry.
"""

import os
from importlib.util import find_spec
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.nn.losses.vgg import VGG_FILE, enlarged, load_vgg, vgg_places

LEVELS = (3, 8, 15, 22, 29)  # after the last ReLU of each block, numbered as in torchvision
# of pictures in [-1, 1]
MIDDLE = (-0.030, -0.088, -0.188)
SPREAD = (0.458, 0.448, 0.450)
CARRIERS = {"lpips": "weights/v0.1/vgg.pth", "torchmetrics": "functional/image/lpips_models/vgg.pth"}


class Lpips(nn.Module):
    """Two pictures in [0, 1] to one number a pair; 0 for the same."""

    def __init__(self, network: nn.Module, weights: list[Tensor]):
        super().__init__()
        self.network = network
        for level, weight in enumerate(weights):
            self.register_buffer(f"weight_{level}", weight)
        self.register_buffer("middle", torch.tensor(MIDDLE).view(1, 3, 1, 1))
        self.register_buffer("spread", torch.tensor(SPREAD).view(1, 3, 1, 1))

    def forward(
        self, drawn: Float[Tensor, "B C H W"], wanted: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B"]:
        total = torch.zeros(len(drawn), device=drawn.device)
        for level, (ours, theirs) in enumerate(
            zip(self._features(drawn), self._features(wanted), strict=True)
        ):
            weighted = ((ours - theirs).square() * self.get_buffer(f"weight_{level}")).sum(1)
            total = total + weighted.mean((1, 2))
        return total

    def _features(self, image: Tensor) -> list[Tensor]:
        """Each pixel's features brought to length one. Grey becomes three equal channels; under 32 pixels a
        picture is enlarged."""
        x = (
            2 * enlarged(image).clamp(0, 1).expand(-1, 3, -1, -1) - 1 - self.get_buffer("middle")
        ) / self.get_buffer("spread")
        found = []
        for number, layer in enumerate(self.network.children()):
            x = layer(x)
            if number in LEVELS:
                found.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
            if number == LEVELS[-1]:
                break
        return found


def why_not() -> str | None:
    """Which file is missing, where it was looked for; None where both are there."""
    for name, places in ((VGG_FILE, vgg_places()), ("vgg.pth of LPIPS 0.1", _places())):
        if not any(place.is_file() for place in places):
            return f"{name} is in none of {', '.join(map(str, places)) or 'the packages lpips and torchmetrics, nor in MOTES_LPIPS_WEIGHTS'}"
    return None


def load_lpips() -> Lpips:
    reason = why_not()
    if reason:
        raise UserError(f"LPIPS cannot be computed: {reason}")
    network, path = (
        next(place for place in places if place.is_file()) for places in (vgg_places(), _places())
    )
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
        weights = [held[f"lin{level}.model.1.weight"] for level in range(len(LEVELS))]
    except Exception as problem:
        raise UserError(
            f"{path} does not hold the channel weights of LPIPS ({type(problem).__name__})"
        ) from None
    return Lpips(load_vgg(network), weights).eval().requires_grad_(False)


def _places() -> list[Path]:
    """Looked for without importing the packages that carry it."""
    named = os.environ.get("MOTES_LPIPS_WEIGHTS")
    specs = [(find_spec(name), path) for name, path in CARRIERS.items()]
    carried = [
        Path(place) / path for spec, path in specs if spec for place in spec.submodule_search_locations or ()
    ]
    return [*([Path(named)] if named else []), *carried]
