"""`packed`: groups that must stay whole, put together to lists of a limited size."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def packed(groups: Iterable[list[Item]], size: int) -> Iterator[list[list[Item]]]:
    """Yield the groups in their order, in lists that hold at most `size` items together.

    No group is divided. A group of more than `size` items is yielded alone.

    >>> list(packed([[1, 2], [3], [4, 5, 6]], 3))
    [[[1, 2], [3]], [[4, 5, 6]]]
    """
    together: list[list[Item]] = []
    for group in groups:
        if together and sum(map(len, together)) + len(group) > size:
            yield together
            together = []
        together.append(group)
    if together:
        yield together
