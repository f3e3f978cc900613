"""What comes after a frame of a clip, as it is or as somebody edited it, in the words of a page."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from motes.apps.session.edits import Edits
from motes.apps.session.foresight import Foresight, Wanted
from motes.apps.session.session import Session
from motes.apps.studio.messages import pixels
from motes.apps.studio.video.reels import Reel
from motes.apps.studio.video.tracks import picture_points
from motes.errors import UserError
from motes.types.clips import ParticleClip

# frames before the edited one that show how things move
GIVEN = 10
# frames that are predicted, and futures that are drawn, at most
STEPS = 50
SAMPLES = 8


@dataclass(frozen=True)
class FutureWanted:
    """What a page asks to be predicted."""

    # the number of the frame after which it begins
    frame: int
    steps: int
    samples: int
    edits: Edits

    @property
    def first(self) -> int:
        """The first frame that is given."""
        return max(self.frame + 1 - GIVEN, 0)

    @property
    def given(self) -> int:
        return self.frame + 1 - self.first


def foreseen(
    session: Session,
    reel: Reel,
    wanted: FutureWanted,
    others: Mapping[str, Any],
    followed: ParticleClip | None = None,
) -> Foresight:
    """What the session foresees; `followed` are the given frames as they were before an edit, if that is known."""
    if wanted.frame == 0:
        raise UserError("one frame shows no motion; go to a later frame to see what comes after it")
    shot = replace(reel.shot(wanted.first, wanted.given, wanted.steps), followed=followed)
    return session.foresee(
        shot, wanted.given, wanted.steps, wanted=Wanted(wanted.samples, 0, None, wanted.edits, others)
    )


def future_answer(session: Session, foresight: Foresight) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The predicted pictures, N H W C, and where things are in them: at first those of the last given frame."""
    given = foresight.given.frames
    film = (foresight.shot.pictures[0].height, foresight.shot.pictures[0].width)
    size = tuple(session.model.config.image_size)
    points = picture_points(foresight.places, film, size)
    clip = foresight.clip
    frames = range(given - 1, clip.frames)
    facts: dict[str, Any] = {"things": [_things(clip, points, frame) for frame in frames], "samples": []}
    if foresight.samples is not None and foresight.sample_places is not None:
        places = picture_points(foresight.sample_places, film, size)
        steps = foresight.future.frames
        facts["samples"] = [
            [_things(foresight.samples, places, start + step) for step in range(steps)]
            for start in range(0, len(places), steps)
        ]
    drawn = np.stack([pixels(picture) for picture in foresight.drawn[given:]])
    return facts, {"frames": drawn}


def _things(clip: ParticleClip, points: np.ndarray, row: int) -> list[list[int | float]]:
    """The things of a row: slot, and row and column in the model's picture."""
    is_there = (clip.track[row] >= 0) & (clip.particles.presence[row] > 0.5)
    return [[slot, *points[row, slot].tolist()] for slot in torch.nonzero(is_there)[:, 0].tolist()]
