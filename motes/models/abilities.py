"""Protocols for what some models and latents can do beyond `Model`.

Tools ask whether a model has one of these abilities, and never ask for its class.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Bool, Float
from torch import Tensor

from motes.ops.rendering.footprints import VisibleBoxes
from motes.ops.rendering.painting import Painting
from motes.types.batch import Batch
from motes.types.latents import Image

# of models


@runtime_checkable
class Calibrates(Protocol):
    """A model that sets a threshold of its own from pictures without labels.

    The threshold is a buffer, saved with the weights.
    """

    def calibrate(self, batches: Iterable[Batch]) -> None: ...


@runtime_checkable
class Samples(Protocol):
    """A model that can draw random latents, which decode to new pictures."""

    def sample(self, count: int) -> Any: ...


@runtime_checkable
class Bounded(Protocol):
    """A model whose codes must lie in a set, such as a ball; `within` maps codes to the nearest ones in the
    set."""

    @property
    def within(self) -> Callable[[Tensor], Tensor]: ...


@runtime_checkable
class Proposes(Protocol):
    """A model whose prior proposes M points for each picture, B M 2; training draws the particles to them."""

    def proposals(self, image: Image) -> Tensor: ...


@runtime_checkable
class Paints(Protocol):
    """A model that draws in layers, so that an edit can be composited without running the model."""

    def painting(self, latent: Any, picture: int = 0) -> Painting: ...


@runtime_checkable
class Glimpses(Protocol):
    """A model that draws each particle as a small window, alpha first, then colours."""

    def glimpses(self, latent: Any) -> Float[Tensor, "B K D S S"]: ...


@runtime_checkable
class Segments(Protocol):
    """A model that gives the share of each pixel that every object has, the background first; shares sum to
    1."""

    def shares(self, latent: Any) -> Float[Tensor, "N A H W"]: ...


@runtime_checkable
class Redraws(Protocol):
    """A model that reads a picture by repeated updates from a random start, so that another draw may read it
    otherwise.

    `redraw` gives the latent after so many updates (None: as many as `encode` takes) from the start (or the best of
    some starts) with this number. Starts are the same for all pictures, and the same number gives the same latent. Training takes
    `usual_updates`.
    """

    @property
    def usual_updates(self) -> int: ...

    def redraw(self, image: Image, updates: int | None = None, draw: int = 0) -> Any: ...


@runtime_checkable
class Encloses(Protocol):
    """A model that gives the box around the visible part of each object, without drawing it on a whole canvas."""

    def boxes(self, latent: Any) -> VisibleBoxes: ...


@runtime_checkable
class Locates(Protocol):
    """A model that gives the middle of what each particle draws, which may lie beside its position."""

    def middles(self, latent: Any) -> Float[Tensor, "B K 2"]: ...


@runtime_checkable
class Carries(Protocol):
    """A model that may read a frame of a clip from what it read of the frame before, so that thing k stays the same
    thing."""

    @property
    def carries(self) -> bool:
        """Whether it does."""
        ...

    def carried(self, image: Image, before: Any) -> Any:
        """The latent of frames, one of each clip, from the latent of the frames before them."""
        ...


@runtime_checkable
class Follows(Protocol):
    """A model that may follow things by what it reads in pictures, so that nothing is matched: see
    `motes.models.tracking`."""

    @property
    def follower(self) -> Any:
        """The model of stills whose posterior follows them; None where particles are matched."""


@runtime_checkable
class Predicts(Protocol):
    """A model that continues clips.

    `seen` is the latent of B clips of `frames` frames each, one clip after the other. The result holds the
    `steps` frames that follow each clip, in the same order. `actions`, B steps A, holds the action after each
    frame, from the last given frame on.

    `samples` is the number of futures to draw of each clip: they are rows of the result, the futures of the first
    clip before those of the second. 0: the one that is expected. `seed` decides which futures are drawn. A model
    that can draw them says so, see `Varies`; another refuses.

    A model of particles takes a `ParticleClip`, or the particles of clips, which it follows first, and gives a
    `ParticleClip` with the same slots. To predict n frames and then m more is to predict n + m, slots in another
    order give the same things in that order, and the same clips and seed give the same answer: all bit for bit.
    """

    def predict(
        self,
        seen: Any,
        frames: int,
        steps: int,
        actions: Float[Tensor, "B steps A"] | None = None,
        samples: int = 0,
        seed: int = 0,
    ) -> Any: ...


@runtime_checkable
class Varies(Protocol):
    """A model that predicts, and says whether it can draw different futures of the same clip."""

    @property
    def varies(self) -> bool: ...


# of latents


@runtime_checkable
class HasCode(Protocol):
    """A latent whose picture is drawn from one vector, the numbers of which may be changed one by one."""

    @property
    def code(self) -> Float[Tensor, "B F"]: ...

    def with_code(self, code: Float[Tensor, "B F"]) -> Any: ...


@runtime_checkable
class Believes(Protocol):
    """A latent of several objects that says which of its objects are held to be real."""

    @property
    def believed(self) -> Bool[Tensor, "B K"]: ...
