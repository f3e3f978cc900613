"""Compiles the fused kernels for GPUs that need not be here, down to machine code, and looks at the registers; run by `test_fused`."""

import re
import subprocess
import tempfile
from pathlib import Path

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.runtime.jit import MockTensor

from motes.ops.rendering.fused import launch
from motes.ops.rendering.fused.backward import TileGradients, gather, paint_tile_backward
from motes.ops.rendering.fused.forward import Scene, compiled_in, paint_tile

F32, F64, BF16, F16 = torch.float32, torch.float64, torch.bfloat16, torch.float16
SCENES = [  # S, K, D, side of the picture, glimpses, picture, with grain
    (32, 10, 4, 128, BF16, BF16, False),
    (32, 200, 4, 128, F32, F32, False),
    (32, 1000, 4, 256, BF16, F32, True),
    (7, 1, 2, 1, F16, F64, True),  # sizes of one are constants to triton
]


class Driver:
    """Of a GPU that is not here: says what to compile for."""

    def __init__(self, capability):
        self.capability = capability

    def get_current_target(self):
        return GPUTarget("cuda", self.capability, 32)

    def get_current_device(self):
        return 0

    def get_current_stream(self, device):
        return 0


def kernels(side, count, depth, across, glimpse_kind, kind, grainy):
    """Each kernel with what it is called with, through the path that a launch takes."""
    work = MockTensor(torch.promote_types(kind, F32))
    glimpses, background = MockTensor(glimpse_kind), MockTensor(kind)
    sizes = launch.kernel_sizes(
        torch.empty(2, count, depth, side, side, device="meta"),
        torch.empty(2, 1, across, across, device="meta"),
    )
    scene = Scene(glimpses, MockTensor(F32), MockTensor(F32), background, MockTensor(F32) if grainy else None)
    yield paint_tile, (scene, work, work, compiled_in(sizes)), sizes
    yield (
        paint_tile_backward,
        (scene, work, work, TileGradients(background, work, work), compiled_in(sizes)),
        sizes,
    )
    yield gather, (scene, work, work, glimpses, compiled_in(sizes)), sizes


def usage(cubin):
    """Registers, and bytes that did not fit in them, of a thread."""
    tool = next(Path(triton.__file__).parent.rglob("cuobjdump"))
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        said = subprocess.run(
            [tool, "-res-usage", file.name], capture_output=True, text=True, check=True
        ).stdout
    found = re.search(r"REG:(\d+) STACK:(\d+) .*LOCAL:(\d+)", said)
    return int(found[1]), int(found[2]) + int(found[3])


if __name__ == "__main__":
    for capability, scenes in ((80, SCENES), (90, SCENES[1:2])):
        triton.runtime.driver.set_active(Driver(capability))
        for scene in scenes:
            for kernel, arguments, sizes in kernels(*scene):
                made = kernel.warmup(*arguments, grid=(1,), num_warps=launch.warps(sizes))
                registers, spilled = usage(made.asm["cubin"])
                print(capability, scene, kernel.__name__, registers, "registers,", spilled, "bytes spilled")
                assert registers <= (128 if scene[5] != F64 else 255) and spilled <= 16
