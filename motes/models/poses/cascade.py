"""A cascade of networks that draws pictures from a layout of classes, coarse to fine, and reads layouts back.

The loss compares textures.
"""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from einops import rearrange, reduce
from jaxtyping import Float, Int
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, Stage, refuse_other_sizes
from motes.nn.coders.refinement import LayoutReader, Refinement
from motes.types.batch import Batch, Losses
from motes.types.latents import Image
from motes.types.rows import Rows
from motes.weights.reconstruction import error_map_loss

CERTAIN = 12.0  # the score by which a given class leads the others


@dataclass(frozen=True)
class CascadeConfig:
    """Options of a cascade."""

    # rows, columns
    image_size: tuple[int, int] = (48, 80)
    channels: int = 3
    # number of classes of a layout, which are numbered from 0
    classes: int = 5
    # channels of the modules, the finest last; coarser ones are as wide as the first
    widths: tuple[int, ...] = (48, 48, 40, 24)
    # channels of the network that reads layouts
    reader_width: int = 12
    # pictures drawn from each layout; for each class only the best picture learns
    hypotheses: int = 1
    # textures, random-features, vgg; or mse: pixels alone, which blurs
    reconstruction: str = "textures"
    # weight of the colours beside textures and features; more = colours at the right places, less texture
    pixels: float = 1.0
    # side of the squares, in pixels, over which textures are compared regardless of position; 1: pixel by
    # pixel, as published
    window: int = 8


@dataclass(frozen=True)
class Layout(Rows):
    """Scores of classes at each pixel, whose softmax is the layout.

    A score is the sum of an amount, one for each class, and a relief, which says where the class lies.
    """

    amounts: Float[Tensor, "B N"]
    # zero on average over the picture
    relief: Float[Tensor, "B N H W"]

    @classmethod
    def of_scores(cls, scores: Float[Tensor, "B N H W"]) -> "Layout":
        amounts = reduce(scores, "b n h w -> b n", "mean")
        return cls(amounts, scores - amounts[..., None, None])

    @classmethod
    def of_classes(cls, classes: Int[Tensor, "B H W"], count: int) -> "Layout":
        return cls.of_scores(CERTAIN * one_hot(classes, count))

    @property
    def shares(self) -> Float[Tensor, "B N H W"]:
        """The share of each class at each pixel; the shares sum to 1."""
        return (self.amounts[..., None, None] + self.relief).softmax(1)

    @property
    def classes(self) -> Int[Tensor, "B H W"]:
        return self.shares.argmax(1)

    @property
    def code(self) -> Float[Tensor, "B N"]:
        return self.amounts

    def with_code(self, code: Float[Tensor, "B N"]) -> "Layout":
        """The layout with other amounts; a class whose amount grows takes pixels where its score was nearly
        largest."""
        return replace(self, amounts=code)


class CascadedRefinement(Model):
    """A cascade of refinements that draws several pictures u of a layout; for each class p the best one
    learns.

    The loss is the sum over p of the least error of any u within p. The error is sum_l weight_l mean |mask_p
    (Phi_l(x) - Phi_l(g_u(layout)))|, where g_u draws picture u and Phi_l are x itself and the levels of a
    feature network (Chen & Koltun 2017, https://arxiv.org/abs/1707.09405). Covariances of neighbouring
    colours are compared too, over windows: see `FeatureLoss.texture_error_maps`.
    """

    Config = CascadeConfig
    needs = ("layout",)

    def __init__(self, config: CascadeConfig):
        super().__init__()
        if min(config.image_size) < 8 or min(config.classes, config.hypotheses, len(config.widths)) < 1:
            raise UserError(
                f"image_size {config.image_size} must be at least 8 a side; "
                "classes, hypotheses and widths at least 1"
            )
        self.config = config
        self.read = LayoutReader(config.channels, config.classes, config.reader_width)
        self.draw = Refinement(
            config.classes, config.image_size, config.channels, config.widths, config.hypotheses
        )
        self.error_maps = error_map_loss(config.reconstruction, config.window)

    def stages(self) -> tuple[Stage, ...]:
        return (
            Stage("layouts of pictures", 0.25, self.reading_loss, tuple(self.read.parameters())),
            Stage("pictures of layouts", 0.75, self.loss, tuple(self.draw.parameters())),
        )

    def reading_loss(self, batch: Batch) -> Losses:
        error = F.cross_entropy(self.read(batch.image), self._layout(batch), reduction="none").mean((1, 2))
        return Losses(error.mean(), {"reading": error})

    def loss(self, batch: Batch) -> Losses:
        layout = one_hot(self._layout(batch), self.config.classes)
        costs = self.costs(self.draw(layout), batch.image, layout)
        best = costs.amin(1).sum(1)
        return Losses(best.mean(), {"best of each class": best, "one for all classes": costs.sum(2).amin(1)})

    def costs(
        self, drawn: Float[Tensor, "B U C H W"], image: Image, layout: Float[Tensor, "B N H W"]
    ) -> Float[Tensor, "B U N"]:
        """The error of each drawn picture within the pixels of each class, summed over levels."""
        count = drawn.shape[1]
        target = image.repeat_interleave(count, 0)
        levels = self.error_maps(rearrange(drawn, "b u c h w -> (b u) c h w"), target)
        total = drawn.new_zeros(len(image), count, layout.shape[1])
        for level, errors in enumerate(levels):
            masks = F.adaptive_avg_pool2d(layout, (errors.shape[-2], errors.shape[-1]))
            # features are scaled by numbers of the picture over numbers of the level: half the side, twice as
            # large; over windows covariances come before them, and all features weigh half
            weight = (2.0 ** (1 - level) if level else self.config.pixels) / errors[0].numel()
            maps = rearrange(errors, "(b u) h w -> b u h w", u=count)
            total = total + weight * torch.einsum("buhw,bnhw->bun", maps, masks)
        return total

    def encode(self, image: Image) -> Layout:
        refuse_other_sizes(self.config, image)
        return Layout.of_scores(self.read(image))

    def decode(self, latent: Layout) -> Image:
        """The first of the pictures that are drawn from each layout."""
        return self.hypotheses(latent)[:, 0]

    def hypotheses(self, latent: Layout) -> Float[Tensor, "B U C H W"]:
        return self.draw(latent.shares)

    def _layout(self, batch: Batch) -> Int[Tensor, "B H W"]:
        layout = batch.labels["layout"]
        least = int(layout.min())
        most = int(layout.max())
        size = tuple(layout.shape[1:])
        if size != batch.image.shape[2:] or most >= self.config.classes or least < 0:
            raise UserError(
                f"this model knows {self.config.classes} classes, numbered from 0, and needs one for each "
                f"pixel of {self.config.image_size}; this layout has {least} to {most} on {size}; "
                "set model.classes"
            )
        return layout.long()


def one_hot(classes: Int[Tensor, "B H W"], count: int) -> Float[Tensor, "B N H W"]:
    return rearrange(F.one_hot(classes, count), "b h w n -> b n h w").float()
