"""A model as two graphs, picture to latent and latent to picture, for ONNX and for `torch.export`.

Both take any number of pictures at once, and compute what the model computes in use.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motes.errors import UserError
from motes.models.base import Model
from motes.models.particles.dlp import DeepLatentParticles
from motes.models.particles.sized import SizedEncoder
from motes.models.particles.sized_decoder import SizedDecoder
from motes.plain.packages import optional
from motes.types.rows import Rows

# pictures that a graph is traced with; any other number may come later
TRACED = 3


@dataclass(frozen=True)
class Graph:
    """What is exported: a module, tensors to trace it with, and the names of what goes in and comes out."""

    module: nn.Module
    example: tuple[Tensor, ...]
    inputs: Sequence[str]
    outputs: Sequence[str]


class Encode(nn.Module):
    """From pictures to the tensors of their latent, in the order of `names`."""

    def __init__(self, model: Model, names: Sequence[str]):
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        tensors = self.model.encode(image).tensors()
        return tuple(tensors[name] for name in self.names)


class Decode(nn.Module):
    """From the tensors of a latent to pictures with values in 0 .. 1."""

    def __init__(self, model: Model, latent: Rows, names: Sequence[str]):
        super().__init__()
        self.model = model
        self.latent = latent
        self.names = names

    def forward(self, *tensors: Tensor) -> Tensor:
        latent = self.latent.with_tensors(dict(zip(self.names, tensors, strict=True)))
        return self.model.decode(latent).clamp(0, 1)


def graphs_of(model: Model) -> dict[str, Graph]:
    """The graphs `encode` and `decode` of a model, by name."""
    model = deepcopy(model).eval().cpu()
    for part in model.modules():
        if isinstance(part, DeepLatentParticles) and isinstance(part.decoder, SizedDecoder):
            assert isinstance(part.encoder, SizedEncoder)
            part.encoder.settle(part.decoder.sides)
    config = model.config
    shape = (TRACED, config.channels, *config.image_size)
    image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        latent = model.encode(image)
        tensors = latent.tensors()
    names = list(tensors)
    return {
        "encode": Graph(Encode(model, names), (image,), ["image"], names),
        "decode": Graph(Decode(model, latent, names), tuple(tensors.values()), names, ["picture"]),
    }


def write_torch(graph: Graph, path: Path) -> None:
    """Write what `torch.export.load` reads, a .pt2 file."""
    torch.export.save(_exported(graph), path)


def write_onnx(graph: Graph, path: Path) -> None:
    for package in ("onnx", "onnxscript"):
        optional(package, "export", "ONNX needs onnx and onnxscript")
    program: Any = torch.onnx.export(
        _exported(graph),
        input_names=list(graph.inputs),
        output_names=list(graph.outputs),
        dynamo=True,
        verbose=False,
    )
    program.save(str(path))


WRITERS: dict[str, Callable[[Graph, Path], None]] = {".onnx": write_onnx, ".pt2": write_torch}


def _exported(graph: Graph) -> Any:
    dimension = torch.export.Dim("batch")
    # all tensors of Decode are one argument
    axes: Any = tuple({0: dimension} for _ in graph.example)
    axes = axes if isinstance(graph.module, Encode) else (axes,)
    try:
        with torch.no_grad():
            return torch.export.export(graph.module, graph.example, dynamic_shapes=axes, strict=False)
    except Exception as problem:  # torch raises what it likes, over many lines
        name = type(graph.module).__name__.lower()
        reason = str(problem).strip().partition("\n")[0]
        raise UserError(
            f"{name} of this model cannot be exported: {type(problem).__name__}: {reason}"
        ) from None
