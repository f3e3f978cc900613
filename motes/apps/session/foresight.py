"""What happens next in a film: some frames are read and followed, and those after them are predicted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image as Pictures
from torch import Tensor

from motes.apps.session.edits import Edits
from motes.apps.session.following import places_in_film
from motes.apps.session.footage import RATE, single_footage
from motes.apps.session.kinds import apply
from motes.apps.session.picture_reader import image_of_pixels
from motes.data.base import Dataset
from motes.data.files.picture_files import to_size
from motes.errors import UserError
from motes.models.abilities import Predicts
from motes.models.base import Model, device_of
from motes.models.motion.carried import carried
from motes.models.motion.changed_start import with_changed_start
from motes.models.motion.future import in_drawing_order
from motes.models.motion.persistent import PersistentMotion
from motes.models.tracking import followed
from motes.types.clips import ParticleClip
from motes.types.latents import Image, Particles

# pixels: what moves less in all given frames stands still
STILL = 0.5


@dataclass(frozen=True)
class Shot:
    """Neighbouring frames of a film."""

    name: str
    pictures: Sequence[Pictures.Image]
    # the number of the first of these frames
    first: int = 0
    # frames a second
    rate: float = RATE
    # what was done after each frame, where that is known
    actions: Float[Tensor, "n A"] | None = None
    # the given frames as particles, where they were followed before
    followed: ParticleClip | None = None

    @classmethod
    def of_video(cls, path: Path, first: int, count: int) -> "Shot":
        """At most `count` frames of a video, or of a folder of numbered pictures."""
        film = single_footage(path)
        return cls(str(film.path), list(islice(film.frames(), first, first + count)), first, film.rate)

    @classmethod
    def of_data(cls, name: str, data: Dataset, clip: int, first: int, count: int) -> "Shot":
        """At most `count` frames of a clip of a data set."""
        clips = len(data) // data.frames
        if clip >= clips:
            raise UserError(f"{name} has {clips} held-out clips; there is no clip {clip}")
        rows = [clip * data.frames + row for row in range(data.frames)[first : first + count]]
        pixels = data.pixels(rows) if rows else ()
        pictures = [Pictures.fromarray(frame.transpose(1, 2, 0).squeeze()) for frame in pixels]
        actions = data.actions(rows) if rows else None
        return cls(f"clip {clip} of {name}", pictures, first, actions=actions)


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a prediction beside the future that is expected."""

    # futures to draw, and the seed that decides which
    samples: int = 0
    seed: int = 0
    # what is done after the last given frame and after each predicted one but the last; None: what the shot knows of it
    actions: Float[Tensor, "steps A"] | None = None
    # how the last given frame is edited before anything is predicted, and the latents of other pictures that the
    # edits name
    edits: Edits = field(default_factory=Edits)
    others: Mapping[str, Any] = field(default_factory=dict)

    def other(self, name: str) -> Any:
        """The latent of another picture."""
        if name not in self.others:
            raise UserError(f"there is no picture {name!r} here to take something from")
        return self.others[name]


EXPECTED = Wanted()


@dataclass(frozen=True)
class Foresight:
    """The given frames of a film as particles, and those that were predicted from them."""

    shot: Shot
    given: ParticleClip
    future: ParticleClip
    # the frames of the shot at the model's size, the given ones and as many of the others as there are
    truth: Float[Tensor, "n C H W"]
    # given and predicted
    drawn: Float[Tensor, "T C H W"]
    # in pixels of the film
    places: Float[np.ndarray, "T K 2"]
    # whether the model learnt how things move; if not, they go on as they went
    learnt: bool
    # other futures of the same things that were drawn, clip after clip, and their places
    samples: ParticleClip | None = None
    sample_places: Float[np.ndarray, "N K 2"] | None = None

    @property
    def clip(self) -> ParticleClip:
        return self.given.joined(self.future)

    @property
    def moves(self) -> bool:
        """Whether anything moves in the given frames."""
        places = self.places[: self.given.frames]
        is_there = (self.given.track >= 0).numpy()
        gone = np.linalg.norm(np.diff(places, axis=0), axis=-1) * (is_there[1:] & is_there[:-1])
        return bool((gone.sum(0) > STILL).any())


def foresee(
    model: Model, shot: Shot, given: int, steps: int, fit: str = "fit", wanted: Wanted = EXPECTED
) -> Foresight:
    """Follow the things of the first `given` frames of a shot, and predict `steps` frames more.

    Frames of the shot behind the given ones are the truth; there need not be any.
    """
    _refuse_too_few(shot, given)
    truth = _read(model, shot.pictures[: given + steps], fit)
    with torch.no_grad():
        clip = _followed(model, truth[:given]) if shot.followed is None else shot.followed.to(truth.device)
        clip = _edited(model, clip, truth[given - 1 : given], wanted)
        actions = _actions(model, shot, wanted, (given, steps))
        predictor = _predictor(model, wanted)
        future = predictor.predict(clip, given, steps, actions)
        seen = model.decode(in_drawing_order(clip))
        drawn = torch.cat([seen, _drawn(model, clip, future, truth[given - 1 : given], wanted)])
        samples = (
            predictor.predict(clip, given, steps, actions, wanted.samples, wanted.seed)
            if wanted.samples
            else None
        )
    film = (shot.pictures[0].height, shot.pictures[0].width)
    return Foresight(
        shot=shot,
        given=clip.to("cpu"),
        future=future.to("cpu"),
        truth=truth.cpu(),
        drawn=drawn.clamp(0, 1).cpu(),
        places=places_in_film(model, clip.joined(future).particles, film, fit),
        learnt=isinstance(model, Predicts),
        samples=None if samples is None else samples.to("cpu"),
        sample_places=None if samples is None else places_in_film(model, samples.particles, film, fit),
    )


def _edited(model: Model, clip: ParticleClip, last: Float[Tensor, "1 C H W"], wanted: Wanted) -> ParticleClip:
    """The given frames as they would have been, had the last one been as it is after the edits."""
    if wanted.edits == Edits():
        return clip
    before = model.encode_clips(last, 1)
    if not isinstance(before, Particles) or wanted.edits.towards[0]:
        raise UserError("what comes after this edit cannot be predicted: that takes particles, and no blend")
    # particles keep their numbers here
    edits = replace(wanted.edits, order=())
    copies = {
        particle: touch.copy_of[1] if not touch.copy_of[0] else None
        for particle, touch in edits.particles.items()
        if touch.copy_of is not None
    }
    return with_changed_start(clip, before, apply(edits, before, wanted.other), copies)


def _drawn(
    model: Model, clip: ParticleClip, future: ParticleClip, last: Float[Tensor, "1 C H W"], wanted: Wanted
) -> Float[Tensor, "R C H W"]:
    """The predicted frames; what was edited cannot be shown in the pixels of the last given frame."""
    if wanted.edits == Edits():
        return carried(model, clip, future, last)
    return model.decode(in_drawing_order(future))


def _predictor(model: Model, wanted: Wanted) -> Predicts:
    """The model itself, if it learnt how things move; else each thing goes on as it went, in one way."""
    if isinstance(model, Predicts):
        return model
    if wanted.samples or wanted.actions is not None:
        raise UserError(
            "this model did not learn how things move, so there are no samples, and actions change nothing; train one "
            "that does from its run: motes train dlp-graph --model.start-from RUN --data FILM"
        )
    return PersistentMotion(model.config.image_size)


def _refuse_too_few(shot: Shot, given: int) -> None:
    if given < 2:
        raise UserError("one frame shows no motion; --given must be at least 2")
    if len(shot.pictures) < given:
        raise UserError(
            f"{shot.name} has {len(shot.pictures)} frames from frame {shot.first} on, and {given} are to be given; "
            "give fewer with --given, or begin earlier with --from"
        )


def _actions(
    model: Model, shot: Shot, wanted: Wanted, given_and_steps: tuple[int, int]
) -> Float[Tensor, "1 steps A"] | None:
    """Those that are wanted, or else those of the shot, if the model learnt with actions and the shot knows all of them."""
    given, steps = given_and_steps
    actions = wanted.actions
    if actions is None and shot.actions is not None and "actions" in model.needs:
        recorded = shot.actions[given - 1 : given - 1 + steps]
        actions = recorded if len(recorded) == steps else None
    return None if actions is None else actions[None].to(device_of(model))


def _read(model: Model, pictures: Sequence[Pictures.Image], fit: str) -> Image:
    config = model.config
    pixels = np.stack([to_size(picture, config.image_size, config.channels, fit) for picture in pictures])
    return image_of_pixels(pixels, device_of(model))


def _followed(model: Model, image: Image) -> ParticleClip:
    """The things of the given frames; slots without anything in the last of them are left out, but one stays.

    Where motion was not learnt, they are matched. In films a posterior that expects things keeps their numbers better,
    but reads their places less exactly, and what a prediction carries on would be beside its thing.
    """
    frames = len(image)
    if isinstance(model, Predicts):
        clip = model.track(image, frames)
    else:
        clip = followed(model, model.encode_clips(image, frames), frames, model.config.image_size)
    return clip.only((clip.window(clip.frames - 1, 1).track[0] >= 0).nonzero()[:, 0]).with_slots(1)
