"""A cache: a mapping whose values together stay within a budget, usually of bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def bytes_of(value: Any) -> int:
    """The size in bytes of an array, or of all arrays in a tuple."""
    return sum(map(bytes_of, value)) if isinstance(value, tuple) else int(value.nbytes)


def one_each(value: Any) -> int:
    """Returns 1 for every value, for a cache whose budget is a number of values."""
    return 1


class Cache(Generic[Key, Value]):
    """A mapping that keeps values as long as their sizes add up to `budget` at most. It is safe with threads.

    `evict` says what happens when the budget is spent. True: the values that were used longest ago are
    removed, but never the newest one, however large it is. False: new values are not kept. That is better for
    rows that are all read in every epoch: with room for half of them, half are found in the cache. If the
    oldest were removed, each row would be gone before it is read again.

    >>> cache = Cache(2, one_each)
    >>> cache.put("a", 1), cache.put("b", 2), cache.get("a"), cache.put("c", 3)
    (1, 2, 1, 3)
    >>> "a" in cache, "b" in cache
    (True, False)
    """

    def __init__(self, budget: int, size_of: Callable[[Value], int] = bytes_of, evict: bool = True):
        self.budget = budget
        self._size_of = size_of
        self._evict = evict
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    @property
    def left(self) -> int:
        """The part of the budget that is not spent."""
        return self.budget - self._size

    def get(self, key: Key) -> Value | None:
        """The value of this key, which counts as used now; None if the cache does not hold it."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Key, value: Value) -> Value:
        """Keep a value if there is room for it, and return it in any case."""
        size = self._size_of(value)
        with self._lock:
            if key in self._values:
                self._forget(key)
            if self._evict or size <= self.left:
                self._values[key] = value
                self._size += size
            while self._size > self.budget and len(self._values) > 1:
                self._forget(next(iter(self._values)))
        return value

    def _forget(self, key: Key) -> None:
        self._size -= self._size_of(self._values.pop(key))
