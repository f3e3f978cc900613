"""The size of heat maps, whose sides are fractions of the picture's sides."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class HasGrid(Protocol):
    """The options that the size of heat maps depends on."""

    @property
    def image_size(self) -> tuple[int, int]: ...

    @property
    def encoder_channels(self) -> Sequence[int]: ...


def grid_size(config: HasGrid) -> tuple[int, int]:
    """The sides of the heat maps: the picture's, halved and rounded up once for each width but the first."""
    factor = 2 ** (len(config.encoder_channels) - 1)
    rows, columns = (-(-side // factor) for side in config.image_size)
    return rows, columns
