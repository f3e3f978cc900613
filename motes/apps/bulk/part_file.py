"""`encode_part`: a part in, its parquet file out. It runs in this process, or in a worker on any machine."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motes.apps.bulk.part_reader import Entry, PartReader
from motes.apps.bulk.parts import BulkPart
from motes.apps.session.clips import clip_length
from motes.apps.session.kinds import kind_of
from motes.apps.session.session import Encoded, Session
from motes.errors import UserError
from motes.models.base import Model
from motes.models.checkpoint import weights_hash
from motes.plain.packages import optional
from motes.plain.writing import whole_file
from motes.version import VERSION

# what pyarrow raises where a file is no whole parquet file
DAMAGED = (OSError, ValueError, KeyError)
# a worker may have several threads; they share the model, and the videos that are open
ONE_AT_A_TIME = Lock()
Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Work:
    """What is done with every part. It is sent to workers, so paths are absolute."""

    # the checkpoint's folder, and the hash of its weights
    model: str
    weights: str
    # the folder of the part files
    out: str
    # options of the model that are changed, as JSON
    options: str = "{}"
    fit: str = "fit"
    # pictures at a time
    batch: int = 32
    # None: each worker takes the GPU that it has, else its CPU
    device: str | None = None
    # whether the boxes of what is visible are written too
    boxes: bool = False

    def clip(self, model: Model) -> int:
        """The number of frames of a video that the model is given together."""
        return clip_length(model.window, self.batch)

    def identity(self, model: Model) -> str:
        """All that decides what a picture is encoded to."""
        return json.dumps([self.weights, asdict(model.config), self.fit, self.clip(model), self.boxes])


@dataclass(frozen=True)
class Outcome:
    """What became of a part."""

    # the name of its file, and the pictures that were encoded
    file: str = ""
    rows: int = 0
    # files and frames that could not be read, with the reason
    bad: tuple[tuple[str, str], ...] = ()
    # why there is no file; empty: there is
    failure: str = ""
    # whether the part ended its worker, so that nobody knows why
    killed: bool = False


def encode_part(work: Work, part: BulkPart) -> Outcome:
    """Encode the pictures of a part and write its file, unless it is there already."""
    with ONE_AT_A_TIME:
        encoder = _encoder(work)
        path = Path(work.out, part.file_name(encoder.identity))
        outcome = read_outcome(path)
        if outcome is not None:
            return outcome
        table = encoder.table(part)
    with whole_file(path) as fresh:
        _parquet().write_table(table, fresh)
    return _outcome_of(path, table)


def attempt(work: Work, part: BulkPart) -> Outcome:
    """The same; what goes wrong is the reason why the part failed."""
    try:
        return encode_part(work, part)
    except UserError as problem:
        return Outcome(failure=str(problem))
    except Exception as problem:
        return Outcome(failure=f"{type(problem).__name__}: {problem}")


def read_outcome(path: Path) -> Outcome | None:
    """What a part's file holds; None where there is no whole file."""
    try:
        facts = _parquet().read_metadata(path).metadata
        if not int(facts[b"bad"]):
            return Outcome(path.name, int(facts[b"rows"]))
        return _outcome_of(path, _parquet().read_table(path, columns=["picture", "error"], partitioning=None))
    except DAMAGED:
        return None


class Encoder:
    """A model that is open for parts, and the columns that it writes."""

    def __init__(self, work: Work):
        if weights_hash(Path(work.model)) != work.weights:
            raise UserError(f"{work.model} has other weights than when this began; start again")
        self.session = Session.open(work.model, work.device, json.loads(work.options))
        self.work = work
        self.identity = work.identity(self.session.model)
        # of a part without any readable picture
        self._no_rows = {name: column[:0] for name, column in self._columns(self._blank()).items()}

    def table(self, part: BulkPart) -> Any:
        """The table of a part: a row for each picture in it, and for each file or frame that cannot be read."""
        config = self.session.model.config
        reader = PartReader(config.image_size, config.channels, self.work.fit)
        if part.frames is None:
            pictures = reader.pictures(part.files)
        else:
            pictures = reader.frames(part.files[0], *part.frames)
        batches = self.session.encode_pictures(pictures, self.work.batch)
        columns = [self._no_rows, *map(self._columns, batches)]
        joined = {name: np.concatenate([batch[name] for batch in columns]) for name in columns[0]}
        return _table(reader.entries, joined, self._facts(reader.entries))

    def _columns(self, encoded: Encoded) -> Columns:
        latent = encoded.latent
        columns: dict[str, Tensor] = kind_of(latent).columns(latent)
        boxes = self.session.boxes(latent) if self.work.boxes else None
        middles = self.session.middles(latent) if self.work.boxes else None
        columns |= {} if boxes is None else boxes.tensors()
        columns |= {} if middles is None else {"middle": middles}
        return {name.replace(".", "_"): column.cpu().numpy() for name, column in columns.items()}

    def _blank(self) -> Encoded:
        config = self.session.model.config
        image = torch.zeros(1, config.channels, *config.image_size)
        return Encoded([Path()], image, self.session.encode(image))

    def _facts(self, entries: list[Entry]) -> dict[str, str]:
        bad = sum(entry.error is not None for entry in entries)
        return {
            "motes": VERSION,
            "model": self.work.model,
            "weights": self.work.weights,
            "options": self.work.options,
            "fit": self.work.fit,
            "rows": str(len(entries) - bad),
            "bad": str(bad),
        }


# the model is opened once in each process
_encoder = lru_cache(maxsize=1)(Encoder)


def _table(entries: list[Entry], columns: Columns, facts: dict[str, str]) -> Any:
    arrow = optional("pyarrow", "bulk", "--parts needs pyarrow")
    places = arrow.array(_places(entries), arrow.int64())
    kinds = (arrow.string(), arrow.int64(), arrow.float64(), arrow.string())
    arrays = {
        name: arrow.array([entry[number] for entry in entries], kind)
        for number, (name, kind) in enumerate(zip(Entry._fields, kinds, strict=True))
    }
    # where the place is null, so is the row
    arrays |= {name: _nested(arrow, column).take(places) for name, column in columns.items()}
    return arrow.table(arrays).replace_schema_metadata(facts)


def _places(entries: list[Entry]) -> Iterator[int | None]:
    """For each entry, its row in the columns, which have the readable pictures alone."""
    row = 0
    for entry in entries:
        yield row if entry.error is None else None
        row += entry.error is None


def _nested(arrow: Any, values: np.ndarray) -> Any:
    """An array of rows as a column of lists; of lists of lists, if a row has two axes, and so on."""
    if values.ndim == 1:
        return arrow.array(values)
    count, length, *rest = values.shape
    offsets = arrow.array(np.arange(count + 1) * length, arrow.int32())
    return arrow.ListArray.from_arrays(offsets, _nested(arrow, values.reshape(count * length, *rest)))


def _outcome_of(path: Path, table: Any) -> Outcome:
    pairs = zip(table["picture"].to_pylist(), table["error"].to_pylist(), strict=True)
    bad = tuple((picture, error) for picture, error in pairs if error is not None)
    return Outcome(path.name, len(table) - len(bad), bad)


def _parquet() -> Any:
    return optional("pyarrow.parquet", "bulk", "--parts needs pyarrow")
