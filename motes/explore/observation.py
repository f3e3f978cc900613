"""`Observation`: what is known of pictures, such as some of the pixels, noisy pixels or a low resolution."""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from motes.errors import UserError
from motes.types.latents import Image


@dataclass(frozen=True)
class Observation:
    """What is known of pictures: `values`, the means of squares of `shrink` x `shrink` pixels, with noise.

    Values where `known` is 0 are meaningless. With `shrink` 1 and no noise, an observation is a picture with
    holes.
    """

    values: Float[Tensor, "B C h w"]
    # for each value, from 0, hidden, to 1, visible
    known: Float[Tensor, "B 1 h w"]
    # the standard deviation of the values' noise, in units of brightness
    noise: float = 0.0
    shrink: int = 1

    @property
    def picture_shape(self) -> tuple[int, int, int]:
        """The number of channels, rows and columns of the whole pictures."""
        channels, rows, columns = self.values.shape[1:]
        return channels, rows * self.shrink, columns * self.shrink

    def __len__(self) -> int:
        return len(self.values)

    def error(self, drawn: Float[Tensor, "B C H W"]) -> Float[Tensor, "B"]:
        """The squared error of the drawn pictures, summed over the known values of each picture."""
        return (self.known * (self.observe(drawn) - self.values).square()).sum((1, 2, 3))

    def observe(self, picture: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C h w"]:
        """The values that would be observed of these pictures without noise."""
        return picture if self.shrink == 1 else F.avg_pool2d(picture, self.shrink)

    def filled(self, guess: Float[Tensor, "#B C H W"]) -> Image:
        """The observed values, enlarged to the pictures' size; pixels of `guess` where nothing was
        observed."""
        weight = self.known
        values = self.values
        if self.shrink > 1:
            weight = F.interpolate(weight, scale_factor=self.shrink, mode="nearest")
            values = F.interpolate(values, scale_factor=self.shrink, mode="bilinear", align_corners=False)
        return guess + weight * (values - guess)

    def composed(self, drawn: Float[Tensor, "B C H W"]) -> Image:
        """The drawn pictures, with the pixels replaced that were observed exactly (without noise or
        shrinking)."""
        return self.filled(drawn) if self.shrink == 1 and self.noise == 0 else drawn

    def distances(self, pictures: Float[Tensor, "M C H W"]) -> Float[Tensor, "B M"]:
        """The squared distance of each observation to each of the M pictures, summed over the known
        values."""
        weight = self.known.expand_as(self.values).flatten(1)
        observed = self.observe(pictures).flatten(1)
        values = self.values.flatten(1)
        squares = (
            weight @ observed.square().T
            - 2 * (weight * values) @ observed.T
            + (weight * values.square()).sum(1, keepdim=True)
        )
        # rounding may leave a square below 0
        return squares.clamp_min(0)

    def rows(self, index: slice | Int[Tensor, "n"]) -> "Observation":
        """The observation of the pictures at the index."""
        return replace(self, values=self.values[index], known=self.known[index])


def masked(image: Image, known: Float[Tensor, "B D h w"]) -> Observation:
    """The observation of pictures with holes: `known` is 1 where a pixel is visible and 0 where it is hidden.

    The pixels in the holes are not used.
    """
    if known.shape != (len(image), 1, *image.shape[2:]):
        raise UserError(
            f"a mask of {tuple(known.shape)} does not fit pictures of {tuple(image.shape)}: "
            "one channel, the pictures' size"
        )
    return Observation(torch.where(known > 0, image, 0.5), known.clamp(0, 1))


def noisy(image: Image, deviation: float) -> Observation:
    """The observation of pictures in which every number has noise of this standard deviation."""
    if deviation < 0:
        raise UserError(f"noise has a standard deviation from 0 up, not {deviation}")
    return Observation(image, torch.ones_like(image[:, :1]), noise=deviation)


def low_resolution(small: Image, shrink: int) -> Observation:
    """The observation of pictures at low resolution: each number is the mean of `shrink` x `shrink`
    pixels."""
    if shrink < 1:
        raise UserError(f"pictures are shrunk by a whole number from 1 up, not {shrink}")
    return Observation(small, torch.ones_like(small[:, :1]), shrink=shrink)
