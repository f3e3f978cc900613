"""Who acts: one more thing of a frame, without a place, that tells all others what is done."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError

# of the actions of the training clips, what is brought to -1 and 1
LOW = 0.01
HIGH = 0.99


class Agent(nn.Module):
    """An action of A numbers, brought to about [-1, 1], as a thing of presence 1; unknown ones are a learnt vector."""

    low: Tensor
    high: Tensor

    def __init__(self, numbers: int):
        super().__init__()
        # what is added to what is known of each thing: the action, and that it is one
        self.inputs = numbers + 1
        self.register_buffer("low", -torch.ones(numbers))
        self.register_buffer("high", torch.ones(numbers))
        self.unknown = nn.Parameter(torch.zeros(numbers))

    def fit(self, actions: Float[Tensor, "n A"]) -> None:
        """Set what is brought to -1 and 1; a number that is always the same stays 0."""
        low, high = actions.quantile(torch.tensor([LOW, HIGH], device=actions.device), dim=0)
        is_constant = high - low < 1e-6
        self.low.copy_(torch.where(is_constant, low - 1, low))
        self.high.copy_(torch.where(is_constant, high + 1, high))

    def joined(
        self,
        nodes: Float[Tensor, "B K n"],
        edges: Float[Tensor, "B K K e"],
        presence: Float[Tensor, "B K"],
        action: Float[Tensor, "B A"] | None,
    ) -> tuple[Float[Tensor, "B k m"], Float[Tensor, "B k k e"], Float[Tensor, "B k"]]:
        """What is known of all things, with the agent behind them."""
        if action is None:
            action = nodes.new_full((len(nodes), self.inputs - 1), torch.nan)
        scaled = 2 * (action - self.low) / (self.high - self.low) - 1
        numbers = torch.where(action.isfinite().all(-1, keepdim=True), scaled, self.unknown)
        is_agent = torch.ones_like(presence[:, :1])
        agent = torch.cat([nodes.new_zeros(len(nodes), nodes.shape[2]), numbers, is_agent], -1)
        padded = F.pad(nodes, (0, self.inputs))
        return (
            torch.cat([padded, agent[:, None]], 1),
            F.pad(edges, (0, 0, 0, 1, 0, 1)),
            torch.cat([presence, is_agent], 1),
        )


def check_actions(actions: Tensor | None, shape: tuple[int, int, int]) -> None:
    """Refuse actions that are not of this many clips, steps and numbers."""
    if actions is None:
        return
    if not shape[2]:
        raise UserError("this model learnt without actions, and cannot say what they would change")
    check_width(actions, shape[2])
    if tuple(actions.shape) != shape:
        raise UserError(
            f"an action is needed for each of the {shape[1]} frames to predict of {shape[0]} clips, "
            f"not for {' x '.join(map(str, actions.shape[:-1]))}"
        )
    if not actions.isfinite().all():
        raise UserError("some actions are not numbers; give no actions where none are known")


def check_width(actions: Tensor, numbers: int) -> None:
    if actions.shape[-1] != numbers:
        raise UserError(
            f"these actions have {actions.shape[-1]} numbers each, and the model has --model.actions {numbers}"
        )
