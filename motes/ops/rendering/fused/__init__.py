"""`composite.render` for a GPU: one kernel lays all particles over the background, and no layer is stored.

`composite.render` calls it where `obstacle` is None; value and gradient are those of the plain rendering.
Triton compiles the kernels (`forward`, `backward`) when they are first used; without Triton, or on a CPU,
this package is not needed.
"""

import importlib
import warnings
from functools import cache
from types import ModuleType

import torch
from jaxtyping import Float
from torch import Tensor

from motes.types.latents import Image


def render_fused(
    glimpses: Float[Tensor, "B K D S S"],
    position: Float[Tensor, "B K 2"],
    presence: Float[Tensor, "B K"],
    background: Image,
    grain: Float[Tensor, "B K s s"] | None = None,
) -> Image:
    """The picture, as in `composite.render`; K is 1 or more.

    Half-precision inputs are read as they are and added up in single precision.
    """
    launch = _launch()
    if launch is None:
        raise RuntimeError(
            "this way to render needs triton 3.3 or later, which is not installed; "
            "use motes.ops.rendering.composite.render"
        )
    return launch.FusedRender.apply(glimpses, position, presence, background, grain)


@cache
def obstacle(device: torch.device) -> str | None:
    """Why `render_fused` cannot run on this device, in words; None where it can.

    A GPU is tested once, by painting a picture of a few pixels: Triton needs a compiler for C and the headers
    of Python, which not every machine has.
    """
    if device.type != "cuda":
        return "not a GPU"
    if _launch() is None:
        return "triton 3.3 or later is not installed"
    try:
        _render_few_pixels(device)
    except Exception as problem:  # whatever it is, the plain rendering works
        message = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        warnings.warn(
            f"rendering on {device} takes the slower way, as triton cannot build a kernel: {message}",
            stacklevel=2,
        )
        return f"triton cannot build a kernel: {message}"
    return None


def _render_few_pixels(device: torch.device) -> None:
    shapes = ((1, 1, 2, 8, 8), (1, 1, 2), (1, 1), (1, 1, 8, 8))
    render_fused(*(torch.zeros(shape, device=device) for shape in shapes))


@cache
def _launch() -> ModuleType | None:
    """The module `launch`, imported only when needed, because triton takes a while; None if triton is missing
    or old.

    Kernels take tuples, which Triton supports since 3.3.
    """
    try:
        version = importlib.import_module("triton").__version__
        return (
            importlib.import_module("motes.ops.rendering.fused.launch")
            if tuple(map(int, version.split(".")[:2])) >= (3, 3)
            else None
        )
    except (ImportError, AttributeError):  # a folder that happens to be named triton has no version
        return None
