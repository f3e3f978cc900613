"""Source: the name of a data set and its options. It imports torch only when it is opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from motes.data import DATASETS
from motes.errors import UserError
from motes.plain.records import from_plain

if TYPE_CHECKING:
    from motes.data.base import Dataset, Split


@dataclass(frozen=True)
class Source:
    """A data set by its name in DATASETS and its options as plain values.

    Opening it makes the data set of one split.

    >>> data = Source("shapes", {"image_size": [32, 32], "count": 10}).open("train")
    >>> len(data), data.image_shape
    (10, (3, 32, 32))
    """

    name: str
    config: Mapping[str, Any] = field(default_factory=dict)

    def changed(self, options: Mapping[str, Any]) -> "Source":
        """The same data set with some options changed."""
        return Source(self.name, {**self.config, **options})

    def open(self, split: "Split") -> "Dataset":
        """The data set of one split. Unknown names and options are refused with a `UserError`."""
        if self.name not in DATASETS:
            raise UserError(f"there is no data set {self.name!r}; there are {', '.join(DATASETS)}")
        dataset = DATASETS[self.name]
        return dataset(from_plain(dataset.Config, self.config, f"data {self.name}"), split)
