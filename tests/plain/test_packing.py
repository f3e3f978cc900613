"""Groups are put together and never divided."""

from motes.plain.packing import packed


def test_groups_stay_whole_and_in_order():
    groups = [[1, 2, 3], [4], [5, 6], [7, 8, 9, 10, 11], [12]]
    lists = list(packed(groups, 4))
    assert lists == [[[1, 2, 3], [4]], [[5, 6]], [[7, 8, 9, 10, 11]], [[12]]]


def test_nothing_is_packed_to_nothing():
    assert list(packed([], 4)) == []
