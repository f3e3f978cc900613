"""Predictions that need no learning, which a model that learnt motion must beat. Each of them `Predicts`."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from motes.models.motion.future import continued
from motes.models.motion.history import History
from motes.types.clips import ParticleClip

# frames that looks are averaged over
HISTORY = 6


@dataclass(frozen=True)
class SteadyMotion:
    """Every thing goes on by the step of its last frame, or stands still; looks stay as they are."""

    # rows and columns of the pictures
    size: tuple[int, int]
    # of the last step, taken in each frame; 0: nothing moves
    share: float = 1.0
    # whether a thing turns round before it would leave the picture
    turns: bool = False

    def predict(
        self,
        seen: ParticleClip,
        frames: int,
        steps: int,
        actions: Float[Tensor, "B steps A"] | None = None,
        samples: int = 0,
        seed: int = 0,
    ) -> ParticleClip:
        seen = seen.repeated(max(samples, 1))
        history = History.of(seen, HISTORY)
        limit = 1 - self._half(seen)
        future = []
        for _ in range(steps):
            step = self.share * history.step
            if self.turns:
                leaves = ((history.newest + step).abs() > limit) & (step * history.newest > 0)
                step = torch.where(leaves, -step, step)
            history = history.followed_by(history.newest + step, history.presence)
            future.append(history)
        return continued(seen, future, self.size)

    def _half(self, clip: ParticleClip) -> Float[Tensor, "B K 2"] | float:
        """Half of the height and of the width of each thing in its newest frame; half a picture is 1."""
        if clip.box is None:
            return 0.0
        box = clip.by_clip(clip.box)[:, -1]
        return (box[..., 2:] - box[..., :2]) / box.new_tensor(self.size)


def rivals(size: tuple[int, int]) -> dict[str, SteadyMotion]:
    """The rivals by name, for pictures of this size."""
    return {
        "copy": SteadyMotion(size, share=0.0),
        "velocity": SteadyMotion(size),
        "reflecting": SteadyMotion(size, turns=True),
    }
