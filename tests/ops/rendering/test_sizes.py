"""Windows in groups: each in one group, in order, and padded by little."""

import torch

from motes.ops.rendering import sizes
from motes.ops.rendering.sizes import runs_of_groups


def counts(batch=16, count=20):
    random = torch.Generator().manual_seed(0)
    return torch.exp(torch.rand(batch, count, 2, generator=random) * 2 + 2).long()


def test_every_window_is_in_one_group_that_holds_it_and_runs_follow_the_order(monkeypatch):
    monkeypatch.setattr(sizes, "AT_ONCE", 20_000)
    count = counts()
    runs = runs_of_groups(count)
    assert len(runs) > 2
    seen, last = [], -1
    for groups in runs:
        ks = torch.cat([group.members for group in groups]) % 20
        assert ks.min() == last + 1
        last = int(ks.max())
        for group in groups:
            own = count.flatten(0, 1)[group.members]
            assert own.amax(0).tolist() == [group.rows, group.columns]
            seen += group.members.tolist()
    assert sorted(seen) == list(range(16 * 20))


def test_the_pixels_of_one_k_are_those_of_its_particles():
    for group in runs_of_groups(counts())[0]:
        area = group.rows * group.columns
        of_pixels = (group.members % 20).repeat_interleave(area)
        for k in range(len(group.starts) - 1):
            part = of_pixels[group.pixels_of(k)]
            assert (part == k).all()
            assert len(part) == (of_pixels == k).sum()


def test_padding_is_little_for_windows_of_sizes_from_7_to_54():
    count = counts(batch=64)
    groups = [group for run in runs_of_groups(count) for group in run]
    padded = sum(group.rows * group.columns * len(group.members) for group in groups)
    assert padded < 2 * count.prod(-1).sum()
    assert padded < 0.4 * count.flatten(0, 1).amax(0).prod() * 64 * 20


def test_windows_of_one_size_are_one_group():
    assert [len(run) for run in runs_of_groups(torch.full((4, 20, 2), 17))] == [1]


def test_without_particles_there_are_no_groups():
    assert runs_of_groups(torch.zeros(2, 0, 2, dtype=torch.long)) == []
