"""Two feature networks that need no download: one with random weights, and one that learns to classify
textures.

The textures are generated, and learning takes a minute or two. The learnt weights are kept in the user's
cache folder, or read from the path in MOTES_TEXTURE_WEIGHTS; another seed gives another network.
"""

import contextlib
from pathlib import Path

import torch
import torch.nn.functional as F
from einops import reduce
from jaxtyping import Float, Int
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from motes.errors import UserError
from motes.nn.losses.texture_features import WIDTHS, TextureNetwork, initialised_network
from motes.ops.pictures.texture_synthesis import CLASSES, synthesise_textures
from motes.plain.writing import Unwritten, whole_file
from motes.types.latents import Image
from motes.weights.places import cache_folder, path_of

STEPS = 1000
BATCH = 64
SIDE = 32
RATE = 4e-3
EDITION = 1  # of the recipe for learning: weights learnt by another one are not mixed up with these


class TextureClassifier(nn.Module):
    """Recognises a texture from the mean of each channel of each level, wherever the texture's parts lie."""

    def __init__(self):
        super().__init__()
        self.features = TextureNetwork()
        self.norm = nn.BatchNorm1d(sum(WIDTHS))
        self.head = nn.Linear(sum(WIDTHS), CLASSES)

    def forward(self, image: Image) -> Float[Tensor, "B n"]:
        means = [reduce(maps, "b c h w -> b c", "mean") for maps in self.features.unscaled(image)]
        return self.head(self.norm(torch.cat(means, 1)))


def texture_features(seed: int = 0) -> nn.Module:
    """The learnt network, frozen: read from MOTES_TEXTURE_WEIGHTS or the cache, or else learnt now."""
    named = path_of("MOTES_TEXTURE_WEIGHTS")
    if named and seed == 0:
        return _read(named[0])
    cached = cache_folder() / f"texture-features-{EDITION}-{seed}.safetensors"
    if cached.is_file():
        return _read(cached)
    network = learn_textures(seed).features
    # a folder that cannot be written to costs the time to learn at each call, no more
    with contextlib.suppress(Unwritten), whole_file(cached) as fresh:
        save_file(network.state_dict(), fresh)
    return network.eval().requires_grad_(False)


def random_features(seed: int = 0) -> nn.Module:
    """The same network with random weights, its features scaled in the same way."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = initialised_network()
    network.scale_by(labelled_textures(256, torch.Generator().manual_seed(seed))[0])
    return network.eval().requires_grad_(False)


def learn_textures(seed: int = 0, steps: int = STEPS) -> TextureClassifier:
    """A texture classifier, trained now; the same seed gives the same classifier.

    Torch's random state and gradient mode stay as they were.
    """
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        classifier = TextureClassifier()
        classifier.features = initialised_network()
        _train(classifier, steps, random)
    classifier.features.scale_by(labelled_textures(256, random)[0])
    return classifier.eval().requires_grad_(False)


def labelled_textures(
    count: int, random: torch.Generator
) -> tuple[Float[Tensor, "B 3 S S"], Int[Tensor, "B"]]:
    classes = torch.randint(CLASSES, (count,), generator=random)
    return synthesise_textures(classes, SIDE, random), classes


def _train(classifier: TextureClassifier, steps: int, random: torch.Generator) -> None:
    optimizer = torch.optim.Adam(classifier.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for _ in range(steps):
        image, classes = labelled_textures(BATCH, random)
        optimizer.zero_grad()
        F.cross_entropy(classifier(image), classes).backward()
        optimizer.step()
        schedule.step()


def _read(path: Path) -> nn.Module:
    network = TextureNetwork()
    try:
        network.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as problem:
        raise UserError(
            f"{path} does not hold the weights of the texture network ({type(problem).__name__}); "
            "remove it, to learn them anew"
        ) from None
    return network.eval().requires_grad_(False)
