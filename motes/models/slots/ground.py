"""GROUNDS: what lies behind the slots: nothing, or a component of the masks of one colour, which has no code."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.models.slots.schedule import Settings
from motes.ops.densities.spatial_mixture import PixelComponents, Slopes


class NoGround(nn.Module):
    """Slots share all pixels."""

    def __init__(self, channels: int):
        super().__init__()

    def components(
        self, drawn: Float[Tensor, "B K D H W"], ground: Tensor | None, settings: Settings
    ) -> PixelComponents:
        """The slots as components; D are the logit of the mask and the colours."""
        return PixelComponents(drawn[:, :, 0].log_softmax(1), drawn[:, :, 1:])

    def price(self, components: PixelComponents, settings: Settings) -> Float[Tensor, "B"] | float:
        """What the pixels that slots paint cost each picture."""
        return 0.0

    def price_slopes(
        self, components: PixelComponents, settings: Settings
    ) -> Float[Tensor, "B A H W"] | float:
        """The gradient of the price with respect to the logits of the masks."""
        return 0.0

    def gradients(self, slopes: Slopes) -> list[Tensor]:
        """The gradients of its own parameters."""
        return []

    def behind(self, image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"] | None:
        """What it paints behind the slots, if these are the pictures."""
        return None

    def logit(self, settings: Settings) -> Float[Tensor, ""] | float:
        """Of its mask."""
        return 0.0

    def last_of(self, values: Float[Tensor, "B A H W"]) -> Float[Tensor, "B 1 H W"] | float:
        """The values of the ground among those of all components."""
        return 0.0


class PlainGround(NoGround):
    """One more component, the last, of one colour everywhere in a picture; `behind` says which."""

    def components(
        self, drawn: Float[Tensor, "B K D H W"], ground: Tensor | None, settings: Settings
    ) -> PixelComponents:
        assert ground is not None, "the ground behind these pictures"
        count, _, _, *size = drawn.shape
        logit = settings.ground_logit.to(drawn).expand(count, 1, *size)
        logits = torch.cat([drawn[:, :, 0], logit], 1)
        return PixelComponents(logits.log_softmax(1), torch.cat([drawn[:, :, 1:], ground[:, None]], 1))

    def price(self, components: PixelComponents, settings: Settings) -> Float[Tensor, "B"]:
        return settings.price * (1 - components.log_masks[:, -1].exp()).sum((1, 2))

    def price_slopes(self, components: PixelComponents, settings: Settings) -> Float[Tensor, "B A H W"]:
        """With M the masks' sum over slots: m (1 - M) for slots, -(1 - M) M for the ground."""
        masks = components.log_masks.exp()
        ground = masks[:, -1:]
        slopes = masks * ground
        slopes[:, -1:] = -ground * (1 - ground)
        return settings.price * slopes

    def logit(self, settings: Settings) -> Float[Tensor, ""]:
        return settings.ground_logit

    def last_of(self, values: Float[Tensor, "B A H W"]) -> Float[Tensor, "B 1 H W"]:
        return values[:, -1:]


class FlatGround(PlainGround):
    """A ground of one learnt colour, the same for all pictures."""

    def __init__(self, channels: int):
        super().__init__(channels)
        self.colour = nn.Parameter(torch.zeros(channels))

    def gradients(self, slopes: Slopes) -> list[Tensor]:
        return [slopes.colours[:, -1].sum((0, 2, 3))]

    def behind(self, image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        return self.colour[:, None, None].expand_as(image)


class MedianGround(PlainGround):
    """A ground of each picture's median colour: where most of it can be seen."""

    def behind(self, image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        return image.flatten(2).median(2).values[:, :, None, None].expand_as(image)


# from the number of channels
GROUNDS: dict[str, Callable[[int], NoGround]] = {
    "none": NoGround,
    "flat": FlatGround,
    "median": MedianGround,
}
