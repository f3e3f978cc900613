"""How codes of slots explain a picture, and the gradients of that.

`THROUGH` holds two ways to learn: one keeps the whole graph of all decodes; the other takes all gradients of a decode
at once, and keeps none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.models.slots.ground import NoGround
from motes.models.slots.schedule import Settings
from motes.nn.blocks.broadcast import BroadcastDecoder
from motes.ops.densities.spatial_mixture import Explained, PixelComponents, Slopes


@dataclass(frozen=True)
class SlotView:
    """A picture beside what codes of K slots draw, in the graph of the drawing."""

    image: Float[Tensor, "B C H W"]
    # logits of the masks, then colours
    drawn: Float[Tensor, "B K D H W"]
    components: PixelComponents
    explained: Explained
    # the gradient of the loss
    slopes: Slopes
    # -log p(x | codes) of each picture, and what its loss has beside it
    surprise: Float[Tensor, "B"]
    price: Float[Tensor, "B"] | float

    @property
    def loss(self) -> Float[Tensor, "B"]:
        return self.surprise + self.price

    @property
    def cotangent(self) -> Float[Tensor, "B K D H W"]:
        """The gradient of the loss with respect to what was drawn."""
        slots = self.drawn.shape[1]
        logits = self.slopes.logits[:, :slots, None]
        return torch.cat([logits, self.slopes.colours[:, :slots]], 2)


@dataclass(frozen=True)
class Look:
    """Looks at a batch of pictures: draws codes, and says how well they explain the pictures."""

    image: Float[Tensor, "B C H W"]
    decoder: BroadcastDecoder
    ground: NoGround
    # a row of PIXEL_LIKELIHOODS
    likelihood: Callable[[Tensor, PixelComponents, Tensor, Tensor], Explained]
    settings: Settings

    def draw(self, codes: Float[Tensor, "B K Z"]) -> Float[Tensor, "B K D H W"]:
        drawn = self.decoder(rearrange(codes, "b k z -> (b k) z"))
        return rearrange(drawn, "(b k) d h w -> b k d h w", b=len(codes))

    def view(self, drawn: Float[Tensor, "B K D H W"]) -> SlotView:
        """What is drawn beside the pictures, in single precision at least."""
        drawn = drawn if drawn.dtype == torch.float64 else drawn.float()
        settings = self.settings
        with torch.autocast(drawn.device.type, enabled=False):
            ground = self.ground.behind(self.image)
            components = self.ground.components(drawn, ground, settings)
            explained = self.likelihood(self.image, components, settings.scale, settings.share)
            price = self.ground.price(components, settings)
            with torch.no_grad():
                gains = explained.slopes()
                of_logits = self.ground.price_slopes(components, settings) - gains.logits
            surprise = -explained.log_density.sum((1, 2))
            return SlotView(
                self.image, drawn, components, explained, Slopes(-gains.colours, of_logits), surprise, price
            )

    @property
    def parameters(self) -> list[Tensor]:
        return [*self.decoder.parameters(), *self.ground.parameters()]


class Seen(NamedTuple):
    """A view, with the gradient of the loss with respect to the codes."""

    view: SlotView
    slope: Float[Tensor, "B K Z"]
    # summed over pictures; it carries gradients where it was seen to learn
    loss: Float[Tensor, ""]


def seen(look: Look, codes: Float[Tensor, "B K Z"]) -> Seen:
    """Nothing learns: only the gradient of the codes is taken."""
    view, (slope,) = _differentiated(look, codes, ())
    return Seen(view, slope, view.loss.sum())


def seen_in_one_pass(look: Look, codes: Float[Tensor, "B K Z"], weighted: bool) -> Seen:
    """The graph of the decode is gone when this returns; the loss knows its gradients.

    Where the loss has no weight, the gradients of parameters are not taken at all.
    """
    if not weighted:
        return seen(look, codes.detach())
    result: list[Any] = []
    loss = _OnePass.apply(codes, look, result, *look.parameters)
    view, slope = result
    return Seen(view, slope, loss)


def seen_with_graph(look: Look, codes: Float[Tensor, "B K Z"], weighted: bool) -> Seen:
    """The graph stays, for gradients through all that the refinement network reads."""
    view = look.view(look.draw(codes))
    (slope,) = torch.autograd.grad(view.drawn, codes, view.cotangent, retain_graph=True)
    return Seen(view, slope, view.loss.sum())


THROUGH: dict[str, Callable[[Look, Tensor, bool], Seen]] = {
    "state": seen_in_one_pass,
    "all": seen_with_graph,
}


class _OnePass(torch.autograd.Function):
    """The summed loss of a decode, whose gradients are taken in the forward pass, and scaled in the backward one."""

    @staticmethod
    def forward(ctx: Any, codes: Tensor, look: Look, result: list[Any], *parameters: Tensor) -> Tensor:
        view, gradients = _differentiated(look, codes, tuple(look.decoder.parameters()))
        result += [view, gradients[0]]
        ctx.save_for_backward(*gradients, *look.ground.gradients(view.slopes))
        return view.loss.sum()

    @staticmethod
    def backward(ctx: Any, *weights: Tensor) -> Any:
        of_codes, *of_parameters = (weights[0] * gradient for gradient in ctx.saved_tensors)
        return of_codes, None, None, *of_parameters


def _differentiated(
    look: Look, codes: Float[Tensor, "B K Z"], parameters: Sequence[Tensor]
) -> tuple[SlotView, list[Tensor]]:
    """A view without graph, and the gradients of its summed loss for the codes and the decoder's parameters."""
    with torch.enable_grad():
        leaf = codes.detach().requires_grad_()
        drawn = look.draw(leaf)
    with torch.no_grad():
        view = look.view(drawn.detach())
    gradients = torch.autograd.grad(drawn, [leaf, *parameters], view.cotangent.to(drawn.dtype))
    return view, list(gradients)
