"""Options of `dlp-graph`."""

from dataclasses import dataclass, field
from typing import Any, Literal

from motes.errors import UserError
from motes.models.motion.dynamics import LATENT
from motes.nn.blocks.interaction import HEADS, INTERACTIONS


@dataclass(frozen=True)
class DlpGraphConfig:
    """Options of particles that move."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1 for grey pictures
    channels: int = 3
    # the run of dlp, or its checkpoint, whose particles are predicted; its weights stay as they are
    start_from: str = ""
    # the options of that model, which are read from the run
    still: dict[str, Any] = field(default_factory=dict)
    # number of frames that a prediction looks back on
    history: int = 6
    # number of frames that a roll-out predicts in training
    steps: int = 5
    # what things know of each other: graph: messages between all pairs; attention: a transformer; none: nothing
    interaction: Literal["graph", "attention", "none"] = "graph"
    # units of the layers
    width: int = 64
    # rounds of messages; more = contacts that pass through several things in one frame
    rounds: int = 1
    # whether motion may depend on looks and sizes; from few clips, looks are learnt by heart
    looks: bool = False
    # certain: one future; gaussian: accelerations have variances, so that different futures can be drawn; latent:
    # futures are drawn by what each thing chooses to do for a while, such as to turn left or right
    motion: Literal["certain", "gaussian", "latent"] = "certain"
    # numbers of an action, of data that know what was done after each frame; 0: motion does not depend on actions
    actions: int = 0
    # whether it also learns from mirror images of the training clips, where these are as likely: no camera that
    # sees things fall, no road with a side to drive on
    mirrors: bool = False
    # share of the training windows that are drawn to where velocities change
    events: float = 0.5

    @property
    def glimpse_size(self) -> int | None:
        """The side of a particle's window in pixels."""
        return self.still.get("glimpse_size")


def refuse_what_cannot_be(config: DlpGraphConfig) -> None:
    """Refuse options that contradict each other, or are out of range."""
    if config.actions < 0:
        raise UserError(f"actions is how many numbers an action has, from 0 up, not {config.actions}")
    if config.actions and config.interaction == "none":
        raise UserError(
            "things learn of an action by messages: with actions, interaction is graph or attention"
        )
    if config.actions and config.motion == LATENT:
        raise UserError(
            "latent actions stand for what nobody knows of; with actions, motion must be certain or gaussian"
        )
    if config.actions and config.mirrors:
        raise UserError("nobody knows the action of a mirror image: with actions, mirrors must be off")
    if config.interaction not in INTERACTIONS:
        raise UserError(
            f"interaction {config.interaction!r} is unknown; choose one of {', '.join(INTERACTIONS)}"
        )
    if config.history < 2 or config.steps < 1 or config.rounds < 1:
        raise UserError("history must be at least 2, which makes a velocity, steps and rounds at least 1")
    if config.width < HEADS or config.width % HEADS:
        raise UserError(f"width must be a multiple of {HEADS}, not {config.width}")
    if not 0 <= config.events <= 1:
        raise UserError(f"events must be a share from 0 to 1, not {config.events}")
