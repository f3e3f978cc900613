"""One training step, as the 2022 code takes it and as
motes does, on a processor or a GPU; and what a step costs.

The step of the 2022 code is always float32, as it was published. On a GPU both have torch's defaults, so
float32 convolutions may use TF32.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.clocks import Figures, peak_memory
from benchmarks.speed.reference_2022 import Reference, Sizes
from motes.models.base import Model
from motes.models.particles.dlp import DeepLatentParticles, DlpConfig
from motes.training.memory import keep_freed_memory
from motes.training.recipe import Training
from motes.types.batch import Batch

Step = Callable[[Tensor], None]


def reference_step(sizes: Sizes, device: str = "cpu") -> Step:
    with torch.device(device):
        model = Reference(sizes).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-4, eps=1e-4)

    def step(image: Tensor) -> None:
        # Its constants are made during the step, on the default device.
        with torch.device(device):
            loss = model.loss(image)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def motes_step(config: dict[str, Any], device: str = "cpu", precision: str = "fp32") -> Step:
    """`config`: fields of the model's configuration."""
    keep_freed_memory()
    model = DeepLatentParticles(DlpConfig(**config)).to(device).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-4, eps=1e-4, fused=True)

    def step(image: Tensor) -> None:
        batch = Batch(image, torch.arange(len(image), device=image.device))
        with torch.autocast(image.device.type, torch.bfloat16, enabled=precision == "bf16"):
            losses = model.loss(batch)
        losses.total.backward()
        optimizer.step()
        # At once, as the training loop does: the next forward pass may use that memory.
        optimizer.zero_grad(set_to_none=True)

    return step


def recipe_step(model: Model, batch: Batch, training: Training, precision: str) -> Callable[[], None]:
    """A step of the model's main stage on one batch, as the training loop takes it."""
    optimizer = torch.optim.Adam(model.parameters(), lr=training.learning_rate, fused=True)

    def step() -> None:
        with torch.autocast(batch.image.device.type, torch.bfloat16, enabled=precision == "bf16"):
            losses = model.loss(batch)
        losses.total.backward()
        if training.clip_norm > 0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), training.clip_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def cost(step: Step, image: Tensor, steps: int, warm_up: int) -> Figures:
    """The median seconds of a step, and the gigabytes it takes beyond what was there before the first one."""
    before = memory_before(image.device)
    for _ in range(warm_up):
        step(image)
    taken = [seconds(lambda: step(image), image.device) for _ in range(steps)]
    return {"seconds": statistics.median(taken), "memory": memory_at_most(image.device) - before}


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """CPU seconds; on a GPU seconds of the wall until it has finished."""
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    wait_for(device)
    start = clock()
    work()
    wait_for(device)
    return clock() - start


def wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def memory_before(device: torch.device) -> float:
    """Gigabytes: of a GPU what tensors take; of a processor the largest size of the process so far."""
    if device.type != "cuda":
        return peak_memory() / 1e6
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device) / 1e9


def memory_at_most(device: torch.device) -> float:
    """Gigabytes: of a GPU what tensors took since `memory_before`; of a processor as there."""
    return torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else peak_memory() / 1e6
