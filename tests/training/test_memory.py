"""Memory that tensors gave back stays with the process, so a step need not ask the system for it again."""

import os
import sys

import pytest
import torch

from motes.training.memory import keep_freed_memory

resource = pytest.importorskip("resource")


@pytest.mark.skipif(
    sys.platform != "linux" or "glibc" not in os.confstr("CS_GNU_LIBC_VERSION"), reason="a setting of glibc"
)
def test_a_tensor_of_the_same_size_takes_the_memory_of_the_one_before():
    keep_freed_memory()
    torch.ones(1 << 22)
    torch.ones(1 << 22)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(1 << 22)
    pages = 10 * (1 << 24) / resource.getpagesize()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < pages / 2
