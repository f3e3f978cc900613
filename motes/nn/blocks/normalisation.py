"""Batch normalisation over the batches of all processes, on CPUs too (torch's synchronised one needs
CUDA)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor, nn


def processes() -> int:
    """The number of processes that train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def shared_by_processes() -> bool:
    return processes() > 1


class SumOfProcesses(torch.autograd.Function):
    """The sum of a tensor over all processes; its gradient is the sum of the processes' gradients."""

    @staticmethod
    def forward(ctx, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total


def mean_of_processes(value: Tensor) -> Tensor:
    """The mean of a tensor over all processes, which have equally many rows; differentiable."""
    return SumOfProcesses.apply(value) / processes() if shared_by_processes() else value


class BatchNorm(nn.BatchNorm2d):
    """nn.BatchNorm2d for inputs (N, C, ...) of any rank.

    While training in several processes, the statistics are those of the rows of all processes.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"batch normalisation reads (N, C, ...), not {tuple(input.shape)}")

    def forward(self, input: Tensor) -> Tensor:
        if self.training and shared_by_processes():
            return self._global(input)
        return super().forward(input)

    def _global(self, input: Tensor) -> Tensor:
        mean, variance, count = self._statistics(input)
        self._update(mean, variance, count)
        scale = self.weight * (variance + self.eps).rsqrt()
        shape = [1, -1] + [1] * (input.dim() - 2)
        return input * scale.view(shape) + (self.bias - mean * scale).view(shape)

    def _statistics(self, input: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean, variance and number of values of each channel, over all processes."""
        axes = [axis for axis in range(input.dim()) if axis != 1]
        values = input.numel() / input.shape[1]
        assert self.running_mean is not None
        counts = torch.full_like(self.running_mean, values)
        sums = torch.stack([input.sum(axes), input.square().sum(axes), counts])
        total, squares, count = SumOfProcesses.apply(sums).unbind(0)
        mean = total / count
        return mean, squares / count - mean.square(), count

    @torch.no_grad()
    def _update(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.running_mean.lerp_(mean, 0.1)
        self.running_var.lerp_(variance * count / (count - 1), 0.1)
        self.num_batches_tracked += 1


@contextmanager
def settled(part: nn.Module) -> Iterator[None]:
    """A context in which `part` is used while other parts learn.

    The part normalises by its running statistics, and does not update them.
    """
    was_training = part.training
    part.eval()
    try:
        yield
    finally:
        part.train(was_training)
