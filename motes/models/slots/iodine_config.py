"""The options of IODINE."""

from dataclasses import dataclass
from typing import Literal

from motes.errors import UserError
from motes.nn.blocks.broadcast import BroadcastSize
from motes.nn.coders.slot_reader import SlotReaderSize

# of an encoding, where none are named
STARTS = 4


@dataclass(frozen=True)
class IodineConfig:
    """Options of IODINE: sizes, networks, and what its updates do."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1 for grey pictures
    channels: int = 3
    # K: the number of slots in training
    slots: int = 4
    # numbers that describe a slot
    code_dim: int = 16
    # number of updates in training, and of those that encode a picture
    updates: tuple[int, int] = (3, 5)
    # how many slots each start of an encoding has; every picture keeps the start with the best bound. None named:
    # four starts, with as many slots as in training
    starts: tuple[int, ...] = ()
    # number of updates of a frame of a clip, which go on from the slots of the frame before, so that slot k stays the
    # same thing; 0: each frame is encoded by itself
    carry: int = 2
    # what a pixel is drawn from: mixture: one of the slots, by their masks; mixture-logistic: the same with a
    # logistic density; gaussian: the mean picture; blended: the mean picture, later also the mixture
    likelihood: Literal["mixture", "mixture-logistic", "gaussian", "blended"] = "blended"
    # scale of the pixels' noise at the start of training, and at its end
    scale: tuple[float, float] = (0.5, 0.3)
    # a component of the masks that has no code, behind all slots: flat: one learnt colour for all pictures; median:
    # each picture's median colour; none: slots share all pixels, as published
    ground: Literal["flat", "median", "none"] = "flat"
    # cells along the shorter side of the grid that codes are broadcast to; 0: one for every pixel, as published
    side: int = 7
    # channels, hidden layers and kernel of the decoder
    decoder: tuple[int, int, int] = (32, 3, 3)
    # widths of the convolutions of the refinement network
    reader: tuple[int, ...] = (32, 32)
    # widths of its fully connected layers
    hidden: tuple[int, ...] = (64,)
    # units of its LSTM; 0: none
    memory: int = 64
    # maps of places that it reads: 0: row and column; n: products of n waves along each
    waves: int = 0
    # where gradients flow back through the updates: state: the sum of changes and the memory; all: also what the
    # refinement network reads, as published
    through: Literal["state", "all"] = "state"

    @property
    def broadcast(self) -> BroadcastSize:
        width, layers, kernel = self.decoder
        return BroadcastSize(self.image_size, self.side, width, layers, kernel)

    @property
    def reading(self) -> SlotReaderSize:
        """The refinement network; its first convolution reads the cells that the decoder draws."""
        kernel = self.decoder[2]
        stride = max(self.broadcast.scale, 2)
        return SlotReaderSize(
            self.image_size, self.reader, kernel, stride, self.hidden, self.memory, self.waves
        )

    @property
    def slots_of_starts(self) -> tuple[int, ...]:
        return self.starts or (self.slots,) * STARTS


def refuse_impossible(config: IodineConfig) -> None:
    """Refuse options that no model can have."""
    if min(config.slots, *config.slots_of_starts) < 2:
        raise UserError(
            f"slots must be at least 2, in training and in every start, not {config.slots} and {config.starts}"
        )
    if min(config.updates) < 1:
        raise UserError(f"updates must be at least 1, in training and when encoding, not {config.updates}")
    if config.carry < 0:
        raise UserError(f"carry must be 0 or a number of updates, not {config.carry}")
    if config.code_dim < 1 or min(config.scale) <= 0 or config.memory < 0 or config.waves == 1:
        raise UserError(
            "code_dim must be at least 1, scale positive, memory not negative, and waves 0 or at least 2; they are "
            f"{config.code_dim}, {config.scale}, {config.memory} and {config.waves}"
        )
    widths = (*config.reader, *config.hidden)
    if not config.reader or not config.hidden or min(widths) < 1:
        raise UserError("reader and hidden want the width of one layer at least, each of at least 1")
