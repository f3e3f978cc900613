"""One batch as all training pictures, for tests that begin a stage without a trainer."""

from dataclasses import dataclass

from motes.types.batch import Batch


@dataclass(frozen=True)
class FewPictures:
    batch: Batch

    def __iter__(self):
        yield self.batch

    def sample(self, count):
        return self.batch.image[:count]
