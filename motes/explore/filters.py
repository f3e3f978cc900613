"""Filters: the weights of a model's first layer as pictures, and how strongly each prefers one
orientation."""

import math
from typing import Protocol, runtime_checkable

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.models.base import Model
from motes.types.latents import Image

ORIENTATIONS = 36  # of the gratings, over half a turn
GAP = 1  # pixels between the tiles of a sheet


@runtime_checkable
class LooksFor(Protocol):
    """A model that makes its own filters because no first layer holds them, such as principal components."""

    def filters(self) -> Float[Tensor, "N C h w"]: ...


def filters_of(model: Model) -> Float[Tensor, "N C h w"]:
    """The filters of a model's first layer, as one picture per unit.

    They are rows of the first matrix that reads whole pictures, or kernels of the first convolution.
    """
    if isinstance(model, LooksFor):
        with torch.no_grad():
            return model.filters()
    return _filters_of_layers(model)


def _filters_of_layers(model: Model) -> Float[Tensor, "N C h w"]:
    """The filters of the first layer that reads pictures directly."""
    channels = model.config.channels
    rows, columns = model.config.image_size
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d) and layer.in_channels == channels:
            return layer.weight.detach()
        if isinstance(layer, nn.Linear) and layer.in_features == channels * rows * columns:
            return rearrange(layer.weight.detach(), "n (c h w) -> n c h w", c=channels, h=rows)
    raise UserError(
        f"no layer of a {type(model).__name__} reads pictures directly, so it has no filters to show"
    )


def filter_sheet(filters: Float[Tensor, "N C h w"], columns: int = 16) -> Image:
    """One picture (1 C H W) of all filters in rows; in each, the contrast is stretched around middle grey.

    Filters that most prefer one orientation come first. Filters whose channels are neither 1 nor 3 show the
    mean over their channels.
    """
    if filters.shape[1] not in (1, 3):
        filters = filters.mean(1, keepdim=True)
    filters = filters[orientation_selectivity(filters).argsort(descending=True)]
    tiles = torch.nn.functional.pad(_stretched(filters), (0, GAP, 0, GAP), value=1.0)
    columns = min(columns, len(tiles))
    blank = tiles.new_ones(-len(tiles) % columns, *tiles.shape[1:])
    sheet = rearrange(torch.cat([tiles, blank]), "(r k) c h w -> 1 c (r h) (k w)", k=columns)
    return sheet[..., :-GAP, :-GAP]


def _stretched(filters: Float[Tensor, "N C h w"]) -> Float[Tensor, "N C h w"]:
    """The filters as pictures in which 0 is middle grey, and the largest number of each filter is black or
    white."""
    strength = filters.abs().amax((1, 2, 3), keepdim=True).clamp_min(1e-12)
    return 0.5 + 0.5 * filters / strength


def orientation_selectivity(filters: Float[Tensor, "N C h w"]) -> Float[Tensor, " N"]:
    """How strongly each filter prefers one orientation: |sum R(a) exp(2 i a)| / sum R(a).

    The sums are over orientations a. R(a) is the power of the filter's response to gratings of orientation a,
    summed over frequencies from one cycle per filter to the finest.

    It is 0 if all orientations are alike and 1 if there is only one: the usual measure for cells in visual
    cortex. Noise prefers single gratings by chance, but no orientation. The mean brightness of a filter does
    not matter.
    """
    angle, waves = _gratings(filters)
    centred = filters - filters.mean((2, 3), keepdim=True)
    amplitude = torch.einsum("nchw,ahw->nca", centred.to(waves.dtype), waves)
    power = amplitude.abs().square().sum(1)
    response = rearrange(power, "n (a f) -> n a f", a=ORIENTATIONS).sum(2)
    total = response.sum(1)
    preferred = (response * torch.exp(2j * angle)).sum(1).abs()
    selectivity = torch.where(total > 1e-12, preferred / total.clamp_min(1e-12), torch.zeros_like(total))
    return selectivity.to(filters.dtype)


def selective_share(filters: Float[Tensor, "N C h w"], above: float = 0.6) -> float:
    """The share of filters whose orientation selectivity is larger than `above`."""
    return (orientation_selectivity(filters) > above).float().mean().item()


def _gratings(filters: Float[Tensor, "N C h w"]) -> tuple[Float[Tensor, " a"], Tensor]:
    """The angles of the orientations, and complex gratings at each angle and frequency.

    The gratings of one orientation are neighbours, one per frequency.
    """
    rows, columns = filters.shape[2:]
    options = {"dtype": torch.float64, "device": filters.device}
    angle = torch.arange(ORIENTATIONS, **options) * math.pi / ORIENTATIONS
    side = min(rows, columns)
    # in cycles a pixel
    frequency = torch.arange(1, side // 2, 0.5, **options) / side
    wave = torch.stack([angle.sin(), angle.cos()])[:, :, None] * frequency
    row = torch.arange(rows, **options)
    column = torch.arange(columns, **options)
    phase = wave[0, :, :, None, None] * row[:, None] + wave[1, :, :, None, None] * column
    return angle, rearrange(torch.exp(2j * math.pi * phase), "a f h w -> (a f) h w")
