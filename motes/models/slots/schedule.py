"""What changes while IODINE is trained: the noise of pixels, the likelihood, and the ground."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from motes.models.slots.iodine_config import IodineConfig

# shares of the run between which each thing changes. A ground that learns its colour and is there at once takes a colour
# away from the slots for good; a price at once takes all of them
GROUND = (0.15, 0.4)
PRICE = (0.3, 0.5)
BLEND = (0.3, 0.5)
SCALE = (0.4, 0.8)
# logit of the ground's mask at the start, of those that learn their colour; 0 at the end
FAINT_GROUND = {"flat": -4.0}
# price, in nats, of a picture that slots paint all over, and nothing is left to the ground, at the end
WHOLE_PICTURE = 12.25
# share of the mixture in the blended likelihood, at the end
BLENDED = 0.5


@dataclass(frozen=True)
class Settings:
    """What the loss depends on, beside the pictures."""

    # of the pixels' noise
    scale: Float[Tensor, ""]
    # of the mixture, where the likelihood is blended
    share: Float[Tensor, ""]
    # in nats, of a pixel that slots paint
    price: Float[Tensor, ""]
    # of its mask
    ground_logit: Float[Tensor, ""]


def settings_at(config: IodineConfig, progress: Float[Tensor, ""]) -> Settings:
    """The settings when this share of the training is done."""
    first, last = config.scale
    rows, columns = config.image_size
    return Settings(
        first * (last / first) ** _passed(progress, SCALE),
        BLENDED * _passed(progress, BLEND),
        WHOLE_PICTURE / (rows * columns) * _passed(progress, PRICE),
        FAINT_GROUND.get(config.ground, 0.0) * (1 - _passed(progress, GROUND)),
    )


def _passed(progress: Float[Tensor, ""], between: tuple[float, float]) -> Float[Tensor, ""]:
    """How much of a stretch of the training is done, from 0 to 1."""
    start, end = between
    return ((progress - start) / (end - start)).clamp(0, 1)
