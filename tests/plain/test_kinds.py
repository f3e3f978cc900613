"""What a field may hold is decided once: for values from JSON and for words, whose kinds are read from source."""

from typing import Any, Literal, get_type_hints

import pytest

from motes.data import DATASETS
from motes.errors import UserError
from motes.models import MODELS
from motes.plain.kinds import Unfit, fit, kind_in_source, spelled
from motes.plain.options import options_of, read_options


@pytest.mark.parametrize(
    "registry, name", [(registry, name) for registry in (MODELS, DATASETS) for name in registry]
)
def test_the_kinds_in_the_source_are_those_of_the_class(registry, name):
    hints = get_type_hints(registry[name].Config)
    for option in options_of(registry.source(name)).values():
        assert kind_in_source(option.kind) in (hints[option.name], Any), option


@pytest.mark.parametrize(
    "kind, words, plain, value",
    [
        (int, ["3"], 3, 3),
        (float, ["1"], 1, 1.0),
        (str, ["3"], "3", "3"),
        (bool, ["yes"], True, True),
        (Literal["a", "b"], ["b"], "b", "b"),
        (tuple[int, int], ["4,", "5"], [4, 5], (4, 5)),
        (tuple[float, ...], ["1", "0.5"], [1, 0.5], (1.0, 0.5)),
    ],
)
def test_words_and_json_give_the_same_value(kind, words, plain, value):
    from_words = fit(spelled(words, kind), kind)
    from_json = fit(plain, kind)
    assert from_words == from_json == value and type(from_words) is type(from_json) is type(value)


@pytest.mark.parametrize(
    "kind, plain, wanted",
    [
        (int, True, "a whole number"),
        (int, 3.0, "a whole number"),
        (float, "3", "a number"),
        (bool, 1, "yes or no"),
        (str, 3, "text"),
        (Literal["a", "b"], "c", "one of a, b"),
        (tuple[int, int], [1, 2, 3], "2 numbers"),
        (tuple[int, ...], "12", "numbers"),
    ],
)
def test_nothing_else_is_converted(kind, plain, wanted):
    with pytest.raises(Unfit, match=wanted):
        fit(plain, kind)


def test_options_are_read_with_their_values():
    homes = {"model": MODELS.source("vae"), "data": DATASETS.source("shapes")}
    words = ["--data.image-size", "32", "32", "--model.code-dim=4"]
    assert read_options(words, homes) == {"model": {"code_dim": 4}, "data": {"image_size": (32, 32)}}
    with pytest.raises(UserError, match="wants 2 numbers, not 1"):
        read_options(["--data.image-size", "32"], homes)
    with pytest.raises(UserError, match="such as --data"):
        read_options(["--data.image-size"], homes)
