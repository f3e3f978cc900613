"""Maps of a side that is a fraction of the picture's."""

from typing import Any


def grid_size(config: Any) -> tuple[int, int]:
    """Sides of the heat maps: the picture halved, rounding up, once for each width but the first."""
    factor = 2 ** (len(config.encoder_channels) - 1)
    rows, columns = (-(-side // factor) for side in config.image_size)
    return rows, columns
