"""`Background`: the median of training pictures, a rival that draws the same picture every time."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from motes.data.base import Dataset, Split
from motes.errors import UserError

PICTURES = 256  # of the training split, spread over it
AT_ONCE = 32


class Background:
    """Reads the training pictures when the median is first asked for.

    Arguments:
        open: opens a split; None where only the pictures to score are at hand.
    """

    def __init__(self, open: Callable[[Split], Dataset] | None):
        self._open = open

    @cached_property
    def median(self) -> Float[Tensor, "1 C H W"] | None:
        """The median of every pixel and channel; None where there are no training pictures.

        Of an even number it is the upper of the two middle ones.
        """
        data = self._training()
        if data is None or not len(data):
            return None
        chunks = data.chunks(data.sample(PICTURES), AT_ONCE)
        pictures = np.concatenate([data.pixels(rows) for rows in chunks])
        # in place: pictures may be large
        pictures.partition(len(pictures) // 2, axis=0)
        return torch.from_numpy(pictures[len(pictures) // 2])[None].double() / 255

    def _training(self) -> Dataset | None:
        try:
            return None if self._open is None else self._open("train")
        except UserError:
            # data that were made for testing have no training split
            return None
