"""Where data come from: the name of a data set and its options, opened by split."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from motes.data import DATASETS
from motes.data.base import Dataset, Split
from motes.errors import UserError
from motes.plain.records import from_plain


@runtime_checkable
class NamesData(Protocol):
    """Whatever says which data it is about, such as a recipe."""

    @property
    def data(self) -> str: ...

    @property
    def data_config(self) -> Mapping[str, Any]: ...


def open_data(recipe: NamesData, split: Split) -> Dataset:
    if recipe.data not in DATASETS:
        raise UserError(f"there is no data set {recipe.data!r}; there are {', '.join(DATASETS)}")
    cls = DATASETS[recipe.data]
    return cls(from_plain(cls.Config, recipe.data_config, f"data {recipe.data}"), split)
