"""The assignment is that of brute force, however it is cut in parts."""

import torch

from motes.ops.densities import imle


def test_the_assignment_is_brute_force(monkeypatch):
    random = torch.Generator().manual_seed(0)
    codes, samples = torch.randn(37, 5, generator=random), torch.randn(90, 5, generator=random)
    expected = [
        min(range(90), key=lambda m: (codes[n] - samples[m]).double().square().sum().item())
        for n in range(37)
    ]
    for at_once in (1, 400, 10**6):
        monkeypatch.setattr(imle, "AT_ONCE", at_once)
        rows, distances = imle.nearest_samples(codes, samples)
        assert rows.tolist() == expected
        torch.testing.assert_close(distances, (codes - samples[expected]).square().sum(1))
