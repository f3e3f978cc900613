"""Our normalisation is torch's."""

import torch

from motes.nn.blocks.normalisation import BatchNorm


def test_normalisation_is_torchs():
    torch.manual_seed(0)
    ours, theirs, x = BatchNorm(4), torch.nn.BatchNorm2d(4), torch.randn(3, 4, 5, 5)
    torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.running_var, theirs.running_var)
