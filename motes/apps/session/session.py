"""The one place where apps open a model, and read, encode, edit and decode pictures."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image as Pictures
from torch import Tensor

from motes.apps.session.edits import Edits, Look
from motes.apps.session.kinds import apply, kind_of
from motes.apps.session.picture_reader import Reader
from motes.data.files.picture_files import load_picture, to_size
from motes.errors import UserError
from motes.models.abilities import Paints, Proposes, Samples
from motes.models.base import Model, device_of
from motes.models.checkpoint import load
from motes.ops.rendering.painting import Painting
from motes.types.latents import Image, Particles
from motes.types.rows import Rows

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
    """A model, ready to encode pictures given by path, and to edit and decode what it made of them.

    Any readable picture is brought to the model's size. The model is in eval mode from here on, and no method keeps
    gradients.

    Arguments:
        model: on the device where it is to compute. `Session.open` loads one from a run or a checkpoint folder.

    Shapes: an image is B C H W in [0, 1]. A latent is the record that the model encodes to (`Particles`, `Slots` or
    `Code`), one row a picture.

    >>> import tempfile
    >>> from motes.models import MODELS
    >>> Config = MODELS["dlp"].Config
    >>> model = MODELS["dlp"](Config(image_size=(32, 32), num_particles=3, num_proposals=4, glimpse_size=8))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(Path(folder) / "model")
    ...     Pictures.new("RGB", (40, 30), "teal").save(Path(folder) / "teal.png")
    ...     session = Session.open(Path(folder) / "model", device="cpu")
    ...     image = session.read(Path(folder) / "teal.png")
    >>> particles = session.encode(image)
    >>> image.shape, particles.position.shape
    (torch.Size([1, 3, 32, 32]), torch.Size([1, 3, 2]))
    >>> from motes.apps.session.edits import Edits
    >>> edits = Edits.read({"particles": {"0": {"presence": 0.0}}})
    >>> session.edit(particles, edits).presence[0, 0].item()
    0.0
    >>> session.decode(particles).shape
    torch.Size([1, 3, 32, 32])
    """

    def __init__(self, model: Model):
        self.model = model.eval()
        self.device = device_of(model)
        # sentences about pictures that could not be read
        self.skipped: list[str] = []
        # frames a second of the videos that were read
        self.rates: dict[Path, float] = {}

    @classmethod
    def open(cls, where: str | Path, device: str | None = None) -> "Session":
        """The model of a run (its best checkpoint, or else its last) or of a checkpoint folder.

        `device` is torch's name of one; None: the GPU, where there is one. What cannot be loaded is refused with a
        `UserError` that says what to do.
        """
        return cls(load(where, device or ("cuda" if torch.cuda.is_available() else "cpu")))

    def encode_files(self, sources: Sequence[Path], batch: int = 32, fit: str = "fit") -> Iterator[Encoded]:
        """Encode the pictures of files, folders and videos, in batches of at most `batch` pictures.

        `fit` says how a picture of another shape comes to the model's: a key of FITS. Unreadable pictures are noted in
        `skipped`; if none can be read, a `UserError` says why.

        A model of clips gets the frames of a video in whole clips, the last of which may be shorter; a picture is a clip
        of one frame.
        """
        config = self.model.config
        reader = Reader(config.image_size, config.channels, fit, self.skipped, self.rates)
        waiting: list[Clip] = []
        empty = True
        for clip in _clips(reader(sources), self.model.window):
            if waiting and sum(map(len, waiting)) + len(clip) > batch:
                yield self._encode(waiting)
                waiting = []
            waiting.append(clip)
            empty = False
        if waiting:
            yield self._encode(waiting)
        if empty:
            hint = self.skipped[0] if self.skipped else "name picture files or folders of them"
            raise UserError(f"no picture could be read; {hint}")

    def decode(self, latent: Any) -> Image:
        with torch.no_grad():
            return self.model.decode(latent).clamp(0, 1)

    def encode(self, image: Image) -> Any:
        with torch.no_grad():
            return self.model.encode(image.to(self.device))

    def edit(self, latent: Any, edits: Edits, look: Look | None = None) -> Any:
        """The latent of one picture after the edits.

        `look` finds the latents of other pictures by the names in the edits; a name that it does not know is refused.
        """
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
        samples = isinstance(self.model, Samples)
        if not isinstance(latent, Particles):
            return Offers(False, False, False, False, False, samples)
        whole, none = (
            self.decode(replace(latent, presence=torch.full_like(latent.presence, share))) for share in (1, 0)
        )
        return Offers(
            particles=True,
            layers=isinstance(self.model, Paints),
            more=self._decodes(latent.joined(latent, 0)),
            presence=not torch.equal(whole, none),
            proposals=isinstance(self.model, Proposes),
            samples=samples,
        )

    def spread(self, image: Image) -> Spread | None:
        """Of the looks of all particles that are there in these pictures, or of their codes; None for latents that have
        neither."""
        latent = self.encode(image[:SPREAD_OF])
        looks = kind_of(latent).vectors(latent)
        if looks is None:
            return None
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

    def _encode(self, clips: Sequence["Clip"]) -> Encoded:
        """Clips of the same length are encoded together."""
        images: list[Tensor] = []
        latents: list[Rows] = []
        for frames, alike in groupby(clips, len):
            pixels = np.stack([picture for clip in alike for _, picture in clip])
            image = torch.from_numpy(pixels).float().div_(255).to(self.device)
            with torch.no_grad():
                latents.append(self.model.encode_clips(image, frames))
            images.append(image)
        paths = [path for clip in clips for path, _ in clip]
        return Encoded(paths, torch.cat(images), Rows.cat(latents))


# neighbouring frames of one video, or one picture: paths and pixels
Clip = list[tuple[Path, np.ndarray]]


def _clips(pictures: Iterable[tuple[Path, np.ndarray]], window: int) -> Iterator[Clip]:
    """Runs of `window` frames of one video; a video's last run may be shorter. Without a window each picture is a
    clip."""
    clip: Clip = []
    for path, pixels in pictures:
        goes_on = clip and len(clip) < window and path.parent.is_file() and path.parent == clip[0][0].parent
        if clip and not goes_on:
            yield clip
            clip = []
        clip.append((path, pixels))
    if clip:
        yield clip


def _nowhere(name: str) -> Any:
    raise UserError(f"there is no picture {name!r} here to take something from")
