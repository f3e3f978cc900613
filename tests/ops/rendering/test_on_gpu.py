"""The fused kernels on a GPU, where there is one, against the plain way on the processor."""

import pytest
import torch
from ops.rendering.interpreted_render import F32, F64, SCENES, same, scene, slopes

from motes.ops.rendering import fused
from motes.ops.rendering.composite import render

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")


def on_gpu(tensor):
    return tensor.detach().cuda().requires_grad_(tensor.requires_grad)


@pytest.mark.parametrize("side, size, count, depth, kind, grainy", SCENES)
def test_value_and_gradient_are_those_of_the_processor(side, size, count, depth, kind, grainy):
    variables = scene(side, size, count, depth, kind)
    grain = [0.1 * torch.randn(2, count, side + 1, side + 1, dtype=kind)] if grainy else []
    weight = torch.randn(2, depth - 1, *size, dtype=kind)
    there = slopes(fused.render_fused, [on_gpu(one) for one in variables], weight.cuda(), *map(on_gpu, grain))
    here = slopes(render, variables, weight, *grain)
    same([one.cpu() for one in there], here, {F64: 1e-9, F32: 1e-4}[kind])


def test_a_gpu_with_triton_takes_the_fused_way():
    assert fused.obstacle(torch.device("cuda", 0)) is None
    inputs = [on_gpu(one) for one in scene(8, (24, 40), 7, 4, F32)]
    assert render(*inputs).grad_fn.name() == "FusedRenderBackward"
