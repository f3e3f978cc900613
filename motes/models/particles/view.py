"""`View`: what an encoder with anchors knows of pictures before it looks for things."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from motes.ops.points.boxes_of_things import Foreground
from motes.types.rows import Rows


@dataclass(frozen=True)
class View(Rows):
    """Pictures, their backgrounds, and where they differ from them."""

    image: Float[Tensor, "B C H W"]
    # what the background does not explain
    residual: Float[Tensor, "B C H W"]
    # of the foreground, on a smaller picture
    amount: Float[Tensor, "B 1 h w"]
    colour: Float[Tensor, "B C h w"]
    # points that may be things, and how much the picture differs from the background around each
    points: Float[Tensor, "B P 2"]
    salience: Float[Tensor, "B P"]
    # the posterior of the background's code, and the light
    background: Float[Tensor, "B G"]
    background_log_variance: Float[Tensor, "B G"]
    light: Float[Tensor, "B L"]

    @property
    def foreground(self) -> Foreground:
        return Foreground(self.amount, self.colour)
