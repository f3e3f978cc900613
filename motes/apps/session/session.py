"""`Session`: the one place where apps open a model, and read, encode, edit and decode pictures."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image as Pictures
from torch import Tensor

from motes.apps.session.clips import Clip, Picture, clip_length, clips_of
from motes.apps.session.edits import Edits, Look
from motes.apps.session.following import Followed, Reading, follow
from motes.apps.session.footage import Footage, single_footage
from motes.apps.session.foresight import EXPECTED, Foresight, Shot, Wanted, foresee
from motes.apps.session.kinds import apply, kind_of
from motes.apps.session.offers import SPREAD_OF, Offers, Spread, offers_of, spread_of
from motes.apps.session.picture_reader import Reader, image_of_pixels
from motes.data.files.picture_files import load_picture, to_size
from motes.errors import UserError
from motes.models.abilities import Paints, Proposes, Samples
from motes.models.base import Model, device_of
from motes.models.boxes import particle_boxes, window_side
from motes.models.checkpoint import load
from motes.models.devices import device_named
from motes.models.middles import particle_middles
from motes.ops.rendering.footprints import VisibleBoxes
from motes.ops.rendering.painting import Painting
from motes.plain.packing import packed
from motes.types.clips import ParticleClip
from motes.types.latents import Image
from motes.types.rows import Rows


@dataclass(frozen=True)
class Encoded:
    """Pictures that were read, with their paths, and their latent: a `Rows` record with one row per
    picture."""

    paths: list[Path]
    image: Image
    latent: Any


class Session:
    """A model opened for use: it encodes pictures given by path, and edits and decodes their latents.

    Any readable picture is brought to the model's size. The model is in eval mode from here on, and no
    method keeps gradients.

    Arguments:
        model: on the device where it is to compute. `Session.open` loads one from a run or a checkpoint
            folder.

    Shapes: an image is B C H W in [0, 1]. A latent is the record that the model encodes to (`Particles`,
    `Slots` or `Code`), one row per picture.

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
    def open(
        cls, where: str | Path, device: str | None = None, options: Mapping[str, Any] | None = None
    ) -> "Session":
        """Open the model of a run (its best checkpoint, or else its last) or of a checkpoint folder.

        `device` is a name of torch, see `device_named`. `options` change some options of the model, see `load`. A model that cannot be loaded is refused with a `UserError` that says what to do.
        """
        return cls(load(where, device_named(device), options))

    def encode_files(self, sources: Sequence[Path], batch: int = 32, fit: str = "fit") -> Iterator[Encoded]:
        """Encode the pictures of files, folders and videos, and yield them in batches of at most `batch`
        pictures.

        `fit` says how a picture of another shape is brought to the model's size: a key of FITS. Unreadable
        pictures are noted in `skipped`; if none can be read, a `UserError` says why.

        A model of clips gets the frames of a video in whole clips, the last of which may be shorter; a
        picture is a clip of one frame.
        """
        config = self.model.config
        reader = Reader(config.image_size, config.channels, fit, self.skipped, self.rates)
        empty = True
        for encoded in self.encode_pictures(reader(sources), batch):
            yield encoded
            empty = False
        if empty:
            hint = self.skipped[0] if self.skipped else "name picture files or folders of them"
            raise UserError(f"no picture could be read; {hint}")

    def encode_pictures(self, pictures: Iterable[Picture], batch: int = 32) -> Iterator[Encoded]:
        """The same for pictures that are read already, at the model's size: their paths and their bytes, C H W."""
        clips = clips_of(pictures, clip_length(self.model.window, batch))
        yield from map(self._encoded, packed(clips, batch))

    def track(self, video: str | Path, fit: str = "fit") -> ParticleClip:
        """The things in a video, or in a folder of numbered pictures, followed from frame to frame.

        All frames are one clip: slot k is the same thing for as long as its number in `track` stays the same. Particles
        that are pieces of another's thing are left out.
        """
        film = single_footage(Path(video))
        first, *later = [followed.clip for followed in self.follow(film, Reading(fit))]
        return first.joined(*later).without_empty_slots()

    def follow(self, film: Footage, reading: Reading) -> Iterator[Followed]:
        """The same piece by piece, for films that are long, with places in pixels of the film."""
        return follow(self.model, self.encode, film, reading)

    def predict(
        self,
        video: str | Path,
        steps: int = 50,
        given: int = 10,
        first: int = 0,
        fit: str = "fit",
        wanted: Wanted = EXPECTED,
    ) -> Foresight:
        """What follows the `given` frames of a video from frame `first` on, of a model that predicts."""
        return self.foresee(Shot.of_video(Path(video), first, given + steps), given, steps, fit, wanted)

    def foresee(
        self, shot: Shot, given: int, steps: int, fit: str = "fit", wanted: Wanted = EXPECTED
    ) -> Foresight:
        """The same for frames that were read already."""
        return foresee(self.model, shot, given, steps, fit, wanted)

    def decode(self, latent: Any) -> Image:
        with torch.no_grad():
            return self.model.decode(latent).clamp(0, 1)

    def encode(self, image: Image, frames: int = 1) -> Any:
        """The latent of the pictures.

        Clips are given as pictures too: the `frames` frames of each clip are neighbours.
        """
        with torch.no_grad():
            latent = self.model.encode_clips(image.to(self.device), frames)
        # what is no latent is refused here, in a sentence
        kind_of(latent)
        return latent

    def edit(self, latent: Any, edits: Edits, look: Look | None = None) -> Any:
        """The latent of one picture after the edits.

        `look` finds the latents of other pictures by the names in the edits; a name that it does not know
        is refused.
        """
        return apply(edits, latent, look or _nowhere)

    def read(self, picture: str | Path | Pictures.Image, fit: str = "fit") -> Image:
        """The picture (a file or a PIL image) as a tensor at the model's size; `fit` is a key of FITS."""
        return image_of_pixels(self._pixels(picture, fit)[None], self.device)

    def fitted(self, image: Float[Tensor, "B D R S"]) -> Image:
        """Pictures of another model's data, at this model's image size and number of channels."""
        config = self.model.config
        rows, columns = config.image_size
        if image.shape[1] != config.channels:
            image = image.mean(1, keepdim=True).expand(-1, config.channels, -1, -1)
        if tuple(image.shape[2:]) != (rows, columns):
            size = (rows, columns)
            image = torch.nn.functional.interpolate(image, size, mode="bilinear", antialias=True).clamp(0, 1)
        return image.to(self.device)

    def sample(self, seed: int) -> Encoded:
        """A picture that the model makes up, and its latent; the same again for the same seed."""
        if not isinstance(self.model, Samples):
            raise UserError("this model cannot make up pictures")
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(seed)
            latent = self.model.sample(1)
        return Encoded([], self.decode(latent), latent)

    def _pixels(self, picture: str | Path | Pictures.Image, fit: str) -> np.ndarray:
        config = self.model.config
        if isinstance(picture, Pictures.Image):
            return to_size(picture, config.image_size, config.channels, fit)
        return load_picture(Path(picture), config.image_size, config.channels, fit)

    def layers(self, latent: Any) -> Painting | None:
        """The layers that compose the picture of the latent, in the order of the particles' numbers.

        None where the model does not draw particles in layers.
        """
        if not isinstance(self.model, Paints) or not kind_of(latent).has_positions:
            return None
        with torch.no_grad():
            return self.model.painting(latent)

    def boxes(self, latent: Any) -> VisibleBoxes | None:
        """A box around the visible part of each particle, in pixels of the model's pictures.

        Where the model draws without alpha, it is the particle's window. None where there are no such things.
        """
        if not kind_of(latent).has_positions:
            return None
        height, width = self.model.config.image_size
        with torch.no_grad():
            return particle_boxes(self.model, latent, (height, width))

    def middles(self, latent: Any) -> Float[Tensor, "B K 2"] | None:
        """The middle of what each particle draws, (row, column) in [-1, 1]; None where there are no particles."""
        with torch.no_grad():
            return particle_middles(self.model, latent)

    @property
    def window(self) -> int | None:
        """The side of a particle's window in pixels; None where a model has no such windows."""
        return window_side(self.model) if self.offers.particles else None

    def proposals(self, image: Image) -> Float[Tensor, "M 2"] | None:
        """The points that the model's prior proposes for a picture; None where the model has no such
        prior."""
        if not isinstance(self.model, Proposes):
            return None
        with torch.no_grad():
            return self.model.proposals(image)[0]

    @cached_property
    def offers(self) -> Offers:
        config = self.model.config
        latent = self.encode(torch.full((1, config.channels, *config.image_size), 0.5))
        return offers_of(self.model, latent, self.decode)

    def spread(self, image: Image) -> Spread | None:
        """The spread of the features of the particles found in these pictures, or of the pictures' codes.

        None for latents with neither particles nor codes.
        """
        return spread_of(self.encode(image[:SPREAD_OF]))

    def _encoded(self, clips: Sequence[Clip]) -> Encoded:
        """The pictures of the clips and their latents.

        Neighbouring clips of the same length are encoded together.
        """
        images: list[Tensor] = []
        latents: list[Rows] = []
        for frames, same_length in groupby(clips, len):
            pixels = np.stack([picture for clip in same_length for _, picture in clip])
            images.append(image_of_pixels(pixels, self.device))
            latents.append(self.encode(images[-1], frames))
        paths = [path for clip in clips for path, _ in clip]
        return Encoded(paths, torch.cat(images), Rows.cat(latents))


def _nowhere(name: str) -> Any:
    raise UserError(f"there is no picture {name!r} here to take something from")
