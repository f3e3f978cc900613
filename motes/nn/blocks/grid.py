"""Heat maps, whose sides are fractions of the picture's."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class HasGrid(Protocol):
    """What the size of heat maps depends on."""

    @property
    def image_size(self) -> tuple[int, int]: ...

    @property
    def encoder_channels(self) -> Sequence[int]: ...


def grid_size(config: HasGrid) -> tuple[int, int]:
    """Sides of the heat maps: the picture halved, rounding up, once for each width but the first."""
    factor = 2 ** (len(config.encoder_channels) - 1)
    rows, columns = (-(-side // factor) for side in config.image_size)
    return rows, columns
