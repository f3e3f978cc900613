"""Turn recorded actions (what was done after each frame) into tensors."""

from collections.abc import Callable

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
