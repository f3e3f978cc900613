"""What some models and latents can do beyond the contract. Tools ask for these protocols, never for a
class."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Protocol, runtime_checkable

from jaxtyping import Bool, Float
from torch import Tensor

from motes.ops.rendering.painting import Painting
from motes.types.batch import Batch
from motes.types.latents import Image

# of models


@runtime_checkable
class Calibrates(Protocol):
    """A model that sets a threshold of its own from pictures without labels; the threshold is a buffer,
    saved with the weights."""

    def calibrate(self, batches: Iterable[Batch]) -> None: ...


@runtime_checkable
class Samples(Protocol):
    """A model that can draw new pictures' latents."""

    def sample(self, count: int) -> Any: ...


@runtime_checkable
class Bounded(Protocol):
    """A model whose codes live in a set, such as a ball; `within` gives the set's nearest code."""

    @property
    def within(self) -> Callable[[Tensor], Tensor]: ...


@runtime_checkable
class Proposes(Protocol):
    """A model whose prior proposes points, B M 2, to which its particles are drawn."""

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
    """A model that gives the share of every thing in each pixel, the background first; shares sum to 1."""

    def shares(self, latent: Any) -> Float[Tensor, "N A H W"]: ...


@runtime_checkable
class Tracks(Protocol):
    """A model of clips whose things keep their number over time: thing k is the same in all frames of a
    clip."""

    tracks: ClassVar[bool]


@runtime_checkable
class Predicts(Protocol):
    """A model that continues clips. `seen` is the latent of B clips of `frames` frames each, clip by clip;
    the result holds the `steps` frames after them, clip by clip. `actions`, B steps A, says what will be
    done after each of the frames from the last seen one on."""

    def predict(
        self, seen: Any, frames: int, steps: int, actions: Float[Tensor, "B steps A"] | None = None
    ) -> Any: ...


# of latents


@runtime_checkable
class HasCode(Protocol):
    """A latent whose picture is drawn from one vector, the numbers of which may be changed one by one."""

    @property
    def code(self) -> Float[Tensor, "B F"]: ...

    def with_code(self, code: Float[Tensor, "B F"]) -> Any: ...


@runtime_checkable
class Believes(Protocol):
    """A latent of things that says which of them it believes in."""

    @property
    def believed(self) -> Bool[Tensor, "B K"]: ...
