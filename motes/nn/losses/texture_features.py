"""Feature networks that need no download: one that learns, in a minute or two, to tell generated textures
apart, and a random one.

The learned weights are kept in the user's cache folder, or read from where MOTES_TEXTURE_WEIGHTS says;
another seed is another network.
"""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from einops import reduce
from jaxtyping import Float, Int
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from motes.errors import UserError
from motes.ops.pictures.texture_synthesis import CLASSES, textures
from motes.plain.writing import Unwritten, whole_file

WIDTHS = (16, 32, 48, 64)  # of the levels; each has half the side of the one before
STEPS = 1000
BATCH = 64
SIDE = 32
RATE = 4e-3
PIXEL_SPREAD = (
    0.25  # standard deviation of a picture's pixels: with it, a level weighs about as much as the pixels
)
EDITION = 1  # of this file's recipe: weights learned by another are not mixed up with these


class TextureNetwork(nn.Module):
    """Per level two convolutions with rectifiers, then the mean over 2 x 2 pixels. Pictures in, the maps of
    all levels out.

    `scale` brings each channel to unit variance over textures, and a level's sum of squares to that of the
    pixels.
    """

    def __init__(self, widths: Sequence[int] = WIDTHS):
        super().__init__()
        inputs = (3, *widths[:-1])
        self.levels = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.Conv2d(b, b, 3, padding=1), nn.ReLU())
            for a, b in zip(inputs, widths, strict=True)
        )
        for number, width in enumerate(widths):
            self.register_buffer(f"scale_{number}", torch.ones(1, width, 1, 1))

    def forward(self, image: Float[Tensor, "B C H W"]) -> list[Tensor]:
        """Grey becomes three equal channels; nothing is too small, for a level is left out rather than asked
        of one pixel."""
        return [maps * self.get_buffer(f"scale_{number}") for number, maps in enumerate(self.raw(image))]

    def raw(self, image: Float[Tensor, "B C H W"]) -> list[Tensor]:
        x = (image.expand(-1, 3, -1, -1) - 0.5) / PIXEL_SPREAD
        found = []
        for number, level in enumerate(self.levels):
            if number and min(x.shape[-2:]) < 4:
                break
            x = level(F.avg_pool2d(x, 2) if number else x)
            found.append(x)
        return found

    @torch.no_grad()
    def scale_by(self, image: Float[Tensor, "B 3 H W"]) -> None:
        for number, maps in enumerate(self.raw(image)):
            spread = maps.std((0, 2, 3), keepdim=True).clamp_min(1e-3)
            share = (
                3 * 4.0**number / maps.shape[1]
            ) ** 0.5  # numbers of the picture over numbers of the level
            self.get_buffer(f"scale_{number}").copy_(PIXEL_SPREAD * share / spread)


class TextureClassifier(nn.Module):
    """Tells a texture by the mean of each channel of each level: what it is, wherever it stands."""

    def __init__(self):
        super().__init__()
        self.features = TextureNetwork()
        self.norm = nn.BatchNorm1d(sum(WIDTHS))
        self.head = nn.Linear(sum(WIDTHS), CLASSES)

    def forward(self, image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B n"]:
        return self.head(
            self.norm(
                torch.cat([reduce(maps, "b c h w -> b c", "mean") for maps in self.features.raw(image)], 1)
            )
        )


def texture_features(seed: int = 0) -> nn.Module:
    """The learned network, frozen: from the path named, from the cache, or learned now and cached."""
    named = os.environ.get("MOTES_TEXTURE_WEIGHTS")
    if named and seed == 0:
        return _read(Path(named))
    kept = cache_folder() / f"texture-features-{EDITION}-{seed}.safetensors"
    if kept.is_file():
        return _read(kept)
    network = learn_textures(seed).features
    # a folder that cannot be written to costs that each time, no more
    with contextlib.suppress(Unwritten), whole_file(kept) as fresh:
        save_file(network.state_dict(), fresh)
    return network.eval().requires_grad_(False)


def random_features(seed: int = 0) -> nn.Module:
    """The same network as it was born, with what it gives scaled alike."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = born()
    network.scale_by(examples(256, torch.Generator().manual_seed(seed))[0])
    return network.eval().requires_grad_(False)


def learn_textures(seed: int = 0, steps: int = STEPS) -> TextureClassifier:
    """The same from the same seed; neither torch's dice nor the caller's gradient mode are touched."""
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        classifier = TextureClassifier()
        classifier.features = born()
        optimizer = torch.optim.Adam(classifier.parameters(), lr=RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
        for _ in range(steps):
            image, classes = examples(BATCH, random)
            optimizer.zero_grad()
            F.cross_entropy(classifier(image), classes).backward()
            optimizer.step()
            schedule.step()
    classifier.features.scale_by(examples(256, random)[0])
    return classifier.eval().requires_grad_(False)


def examples(count: int, random: torch.Generator) -> tuple[Float[Tensor, "B 3 S S"], Int[Tensor, "B"]]:
    classes = torch.randint(CLASSES, (count,), generator=random)
    return textures(classes, SIDE, random), classes


def born() -> TextureNetwork:
    """Weights of a size that keeps the variance of what goes through rectifiers."""
    network = TextureNetwork()
    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight)
            part.register_parameter("bias", nn.Parameter(torch.zeros(part.out_channels)))
    return network


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "motes"


def _read(path: Path) -> nn.Module:
    network = TextureNetwork()
    try:
        network.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as problem:
        raise UserError(
            f"{path} does not hold the weights of the texture network ({type(problem).__name__}); remove it, to learn them anew"
        ) from None
    return network.eval().requires_grad_(False)
