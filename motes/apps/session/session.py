"""The one place where apps open a model, and read, encode, edit and decode pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image as Pictures
from torch import Tensor

from motes.apps.session.edits import Edits, Look, apply, code_field
from motes.apps.session.picture_reader import Reader
from motes.data.files.picture_files import load_picture, to_size
from motes.errors import UserError
from motes.models.abilities import Paints, Proposes, Samples
from motes.models.base import Model, device_of
from motes.models.checkpoint import load
from motes.ops.rendering.painting import Painting
from motes.types.latents import Image, Particles

# pictures from which the spread of looks is told; principal directions that are shown
SPREAD_OF = 32
AXES = 8


@dataclass(frozen=True)
class Encoded:
    """Pictures that were read, and what the model makes of them."""

    paths: list[Path]
    image: Image
    latent: Any


@dataclass(frozen=True)
class Offers:
    """What can be done with a model's latent; found by trying, so that it holds for models to come."""

    # the latent is a set of particles
    particles: bool
    # it is drawn as glimpses over a background, which may be laid anew without the model
    layers: bool
    # particles may be added
    more: bool
    # they may be switched off
    presence: bool
    proposals: bool
    samples: bool


@dataclass(frozen=True)
class Spread:
    """How the looks (or codes) of some pictures are spread: what sliders range over."""

    low: Float[Tensor, " F"]
    high: Float[Tensor, " F"]
    middle: Float[Tensor, " F"]
    # principal directions, unit length
    axes: Float[Tensor, "n F"]
    # two standard deviations along each
    reach: Float[Tensor, "n"]


class Session:
    """A model, ready to look at pictures given by path; any readable picture is brought to the model's
    size."""

    def __init__(self, model: Model):
        self.model = model.eval()
        self.device = device_of(model)
        self.skipped: list[str] = []  # sentences about pictures that could not be read
        self.rates: dict[Path, float] = {}  # frames a second of the videos that were read

    @classmethod
    def open(cls, where: str | Path, device: str | None = None) -> "Session":
        return cls(load(where, device or ("cuda" if torch.cuda.is_available() else "cpu")))

    def encode_files(self, sources: Sequence[Path], batch: int = 32, fit: str = "fit") -> Iterator[Encoded]:
        """Batches of pictures from files, folders and videos. Unreadable ones are noted in `skipped`; none
        readable is an error."""
        config = self.model.config
        seen = 0
        waiting = []
        reader = Reader(config.image_size, config.channels, fit, self.skipped, self.rates)
        for path, pixels in reader(sources):
            waiting.append((path, pixels))
            seen += 1
            if len(waiting) == batch:
                yield self._encode(waiting)
                waiting = []
        if waiting:
            yield self._encode(waiting)
        if not seen:
            raise UserError(
                f"no picture could be read; {self.skipped[0] if self.skipped else 'name picture files or folders of them'}"
            )

    def decode(self, latent: Any) -> Image:
        with torch.no_grad():
            return self.model.decode(latent).clamp(0, 1)

    def encode(self, image: Image) -> Any:
        with torch.no_grad():
            return self.model.encode(image.to(self.device))

    def edit(self, latent: Any, edits: Edits, look: Look | None = None) -> Any:
        """The latent of one picture after the edits; `look` finds the latents of other pictures by the names
        in the edits."""
        return apply(edits, latent, look or _nowhere)

    def read(self, picture: str | Path | Pictures.Image, fit: str = "fit") -> Image:
        """One picture at the model's size."""
        config = self.model.config
        if isinstance(picture, Pictures.Image):
            pixels = to_size(picture, config.image_size, config.channels, fit)
        else:
            pixels = load_picture(Path(picture), config.image_size, config.channels, fit)
        return torch.from_numpy(pixels[None]).float().div_(255).to(self.device)

    def layers(self, latent: Any) -> Painting | None:
        """What a picture is composed of, in the particles' own order, where the model works so."""
        if not isinstance(self.model, Paints):
            return None
        with torch.no_grad():
            return self.model.painting(latent)

    def proposals(self, image: Image) -> Float[Tensor, "M 2"] | None:
        if not isinstance(self.model, Proposes):
            return None
        with torch.no_grad():
            return self.model.proposals(image)[0]

    @cached_property
    def offers(self) -> Offers:
        config = self.model.config
        latent = self.encode(torch.full((1, config.channels, *config.image_size), 0.5))
        if not isinstance(latent, Particles):
            return Offers(False, False, False, False, False, isinstance(self.model, Samples))
        whole, none = (
            self.decode(replace(latent, presence=torch.full_like(latent.presence, share))) for share in (1, 0)
        )
        return Offers(
            particles=True,
            layers=isinstance(self.model, Paints),
            more=self._decodes(latent.joined(latent, 0)),
            presence=not torch.equal(whole, none),
            proposals=isinstance(self.model, Proposes),
            samples=isinstance(self.model, Samples),
        )

    def spread(self, image: Image) -> Spread:
        """Of the looks of all particles that are there in these pictures, or of their codes."""
        latent = self.encode(image[:SPREAD_OF])
        if isinstance(latent, Particles):
            looks = latent.features[latent.confident().presence > 0.5]
            looks = looks if len(looks) > 2 else latent.features.flatten(0, 1)
        else:
            looks = getattr(latent, code_field(latent))
        middle = looks.mean(0)
        if not looks.shape[1]:
            return Spread(middle, middle, middle, looks.new_zeros(0, 0), looks.new_zeros(0))
        low = looks.quantile(0.02, 0)
        high = looks.quantile(0.98, 0)
        room = (high - low).clamp_min(0.5) * 0.25
        _, deviations, axes = torch.linalg.svd(looks - middle, full_matrices=False)
        reach = 2 * deviations / max(len(looks) - 1, 1) ** 0.5
        return Spread(low - room, high + room, middle, axes[:AXES], reach[:AXES].clamp_min(1e-3))

    def _decodes(self, latent: Any) -> bool:
        try:
            return bool(self.decode(latent).isfinite().all())
        except Exception:  # whatever a model does with what it was not made for
            return False

    def _encode(self, waiting: list[tuple[Path, np.ndarray]]) -> Encoded:
        image = (
            torch.from_numpy(np.stack([pixels for _, pixels in waiting])).float().div_(255).to(self.device)
        )
        return Encoded([path for path, _ in waiting], image, self.encode(image))


def _nowhere(name: str) -> Any:
    raise UserError(f"there is no picture {name!r} here to take something from")
