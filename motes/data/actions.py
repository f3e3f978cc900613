"""Turn recorded actions (what was done after each frame) into tensors."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError


def action_tensor(actions: np.ndarray, where: Callable[[int], str]) -> Float[Tensor, "N A"]:
    """Turn an array of actions, N ..., into one float32 vector for each of the N frames.

    Actions that are not finite are refused with an error, in which `where(n)` names frame n.
    """
    vectors = actions.reshape(len(actions), -1).astype(np.float32)
    broken = np.flatnonzero(~np.isfinite(vectors).all(1))
    if len(broken):
        frame = where(int(broken[0]))
        raise UserError(f"the action at {frame} is not a number; actions must be finite to learn from them")
    return torch.from_numpy(vectors)


def read_actions(path: Path, steps: int) -> Float[Tensor, "steps A"]:
    """The action for each of so many steps, from a .npy file of steps x numbers."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise UserError(f"{path} cannot be read as a .npy file of numbers; numpy.save writes one") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub" or array.ndim != 2:
        raise UserError(f"{path} must hold one array of numbers, steps x numbers of an action")
    if len(array) != steps:
        raise UserError(
            f"{path} has {len(array)} actions, and {steps} frames are to be predicted; give one for each (--steps)"
        )
    actions = array.astype(np.float32)
    broken = np.flatnonzero(~np.isfinite(actions).all(1))
    if len(broken):
        raise UserError(f"{path}: action {broken[0]} is not a number; all of them must be finite")
    return torch.from_numpy(actions)
