"""What some models can do beyond the contract; tools ask for these protocols, never for a class."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from motes.ops.rendering.painting import Painting
from motes.types.batch import Batch
from motes.types.latents import Image


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
    """A model that draws in layers, which an edit may lay anew without it."""

    def painting(self, latent: Any, picture: int = 0) -> Painting: ...
