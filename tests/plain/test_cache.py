"""The cache: never above its budget, the value used longest ago goes first, and threads may share it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from motes.plain.cache import Cache, bytes_of, one_each


def kilobytes(count):
    return np.zeros(1000 * count, np.uint8)


def test_what_was_used_longest_ago_is_forgotten_first():
    cache = Cache(3000)
    for name in "abc":
        cache.put(name, kilobytes(1))
    assert cache.get("a") is not None and cache.left == 0
    cache.put("d", kilobytes(2))
    assert "a" in cache and "d" in cache and "b" not in cache and "c" not in cache
    assert cache.get("b") is None and len(cache) == 2 and cache.left == 0


def test_a_new_value_in_an_old_ones_place_frees_its_bytes():
    cache = Cache(3000)
    cache.put("a", kilobytes(2))
    cache.put("a", kilobytes(1))
    assert cache.left == 2000 and len(cache) == 1


@pytest.mark.parametrize("evict", [True, False])
def test_one_value_above_the_budget(evict):
    cache = Cache(3000, evict=evict)
    cache.put("small", kilobytes(1))
    assert cache.put("large", kilobytes(5)).nbytes == 5000
    assert ("large" in cache) is evict and ("small" in cache) is not evict


def test_without_eviction_old_values_stay_and_new_ones_are_not_remembered():
    cache = Cache(2500, evict=False)
    for row in range(4):
        cache.put(row, kilobytes(1))
    assert [row in cache for row in range(4)] == [True, True, False, False] and cache.left == 500


def test_half_the_room_serves_half_of_the_rows_in_every_epoch():
    found = dict.fromkeys((True, False), 0)
    for evict in found:
        cache = Cache(50, one_each, evict)
        for _ in range(4):
            for row in range(100):
                found[evict] += cache.get(row) is not None
                if row not in cache:
                    cache.put(row, row)
    assert found == {True: 0, False: 150}


def test_sizes():
    assert bytes_of((kilobytes(1), (kilobytes(2), np.zeros(2)))) == 3016
    assert one_each(kilobytes(1)) == 1


def test_threads_never_exceed_the_budget():
    cache = Cache(10_000)

    def work(seed):
        for number in np.random.default_rng(seed).integers(0, 40, 300).tolist():
            value = cache.get(number)
            assert value is None or len(value) == 100 * number
            cache.put(number, np.zeros(100 * number, np.uint8))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))
    assert (
        cache.left == 10_000 - sum(cache.get(number).nbytes for number in range(40) if number in cache) >= 0
    )
