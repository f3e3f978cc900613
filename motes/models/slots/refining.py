"""The updates of IODINE: what the refinement network reads of a view, and how posteriors change."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.models.slots.looking import Seen, SlotView
from motes.models.slots.posterior import Posterior
from motes.nn.coders.slot_reader import Memory, SlotReader


def own_maps(channels: int) -> int:
    """How many maps of each slot the refinement network reads."""
    return 2 * channels + 5


def common_maps(channels: int) -> int:
    """How many maps of each picture it reads."""
    return channels + 1


@dataclass(frozen=True)
class Step:
    """The posteriors after some updates, and what a sample of them shows."""

    posterior: Posterior
    seen: Seen
    kl: Float[Tensor, "B"]


def steps_of(
    reader: SlotReader,
    start: Float[Tensor, "B K P"],
    noise: Sequence[Float[Tensor, "B K Z"]],
    look: Callable[[Tensor, int], Seen],
    detached: bool,
) -> Iterator[Step]:
    """As many steps as there is noise, with an update between each two of them.

    With `detached`, what the refinement network reads carries no gradient.
    """
    numbers = start
    memory = None
    for number, noise_of_step in enumerate(noise):
        posterior = Posterior(numbers)
        sight = look(posterior.sample(noise_of_step), number)
        yield Step(posterior, sight, posterior.kl().sum(1))
        if number + 1 < len(noise):
            slopes = posterior.slopes(sight.slope, noise_of_step)
            read = numbers.detach() if detached else numbers
            change, memory = change_of(reader, sight.view, (read, slopes), memory)
            numbers = numbers + change


def change_of(
    reader: SlotReader, view: SlotView, known: tuple[Tensor, Tensor], memory: Memory | None
) -> tuple[Float[Tensor, "B K P"], Memory | None]:
    """What the refinement network changes, and its new memory; known are the posteriors' numbers, and their slopes."""
    numbers = torch.cat([known[0], _normed(known[1], 1)], -1)
    own = rearrange(_own(view), "b k d h w -> (b k) d h w")
    flat = rearrange(numbers, "b k g -> (b k) g")
    change, memory = reader(own, _common(view), flat, memory)
    return rearrange(change, "(b k) p -> b k p", b=len(numbers)), memory


def _own(view: SlotView) -> Float[Tensor, "B K D H W"]:
    """The maps of each slot: what it draws, its masks, and what would make it better, normalised and detached."""
    slots = view.drawn.shape[1]
    masks = view.components.log_masks[:, :slots, None].exp()
    fitting = view.explained.of_components.softmax(1)[:, :slots, None]
    with torch.no_grad():
        of_logits = _normed(view.slopes.logits[:, :slots, None], 3)
        of_colours = _normed(view.slopes.colours[:, :slots], 3)
        gains = _normed(view.explained.gains()[:, :slots, None], 3)
    return torch.cat([view.drawn, masks, fitting, of_colours, of_logits, gains], 2)


def _common(view: SlotView) -> Float[Tensor, "B E H W"]:
    """The maps that are the same for all slots: the picture, and how well each pixel is explained."""
    log_density = view.explained.log_density.detach()[:, None]
    return torch.cat([view.image, _normed(log_density, 3)], 1)


def _normed(values: Tensor, axes: int) -> Tensor:
    """The values with mean 0 and variance 1 over the last axes."""
    return F.layer_norm(values, values.shape[-axes:])
