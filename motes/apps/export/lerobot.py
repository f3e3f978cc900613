"""A copy of a LeRobot data set (version 3) that has the things of each frame as observation.environment_state.

The state has x, y and certainty of each of the things that a frame may have at once: x and y go from 0 to 1 across
the picture. A thing keeps its numbers for as long as it is followed; numbers without a thing are 0.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from motes.apps.export.found import FoundFilm
from motes.data.files.lerobot import read_episodes, read_info
from motes.data.recognise import is_lerobot
from motes.errors import UserError
from motes.plain.packages import optional

FEATURE = "observation.environment_state"
PARTS = ("x", "y", "certainty")


def write_lerobot(films: Sequence[FoundFilm], path: Path, ending: str) -> None:
    root = _root_of(films)
    _, _, episodes = read_episodes(root)
    states = _states(films)
    shutil.copytree(root, path, dirs_exist_ok=True)
    first = {episode.first: number for number, episode in enumerate(episodes)}
    _add_column(path, np.concatenate([states[first[row]] for row in sorted(first)]))
    _add_feature(path, states[0].shape[1])
    _add_statistics(path, np.concatenate(states))


def _root_of(films: Sequence[FoundFilm]) -> Path:
    """The folder of the one data set that all films are episodes of."""
    roots = {parent for film in films for parent in film.footage.path.parents if is_lerobot(parent)}
    if len(roots) != 1 or len(films) != len(read_episodes(next(iter(roots)))[2]):
        raise UserError("--to lerobot adds to one LeRobot data set: name its folder, and nothing else")
    return roots.pop()


def _states(films: Sequence[FoundFilm]) -> list[np.ndarray]:
    """The state of each frame of each film, frames by numbers; all films have the same."""
    slots = 1 + max(
        (thing.slot for film in films for of_frame in film.things for thing in of_frame), default=0
    )
    states = []
    for film in films:
        state = np.zeros((len(film.things), slots, len(PARTS)), np.float32)
        for row, size, of_frame in zip(state, film.sizes, film.things, strict=True):
            for thing in of_frame:
                x, y = thing.place
                row[thing.slot] = ((x + 0.5) / size[1], (y + 0.5) / size[0], thing.certainty)
        states.append(state.reshape(len(state), -1))
    return states


def _add_column(root: Path, values: np.ndarray) -> None:
    """Give each file of the data the rows whose numbers its column `index` has."""
    arrow = optional("pyarrow", "parquet", "LeRobot data sets need pyarrow")
    parquet = optional("pyarrow.parquet", "parquet", "LeRobot data sets need pyarrow")
    kind = arrow.list_(arrow.float32(), values.shape[1])
    for file in sorted((root / "data").rglob("*.parquet")):
        table = parquet.read_table(file)
        rows = values[table.column("index").to_numpy()]
        column = arrow.FixedSizeListArray.from_arrays(arrow.array(rows.reshape(-1)), type=kind)
        without = table.drop_columns([FEATURE]) if FEATURE in table.column_names else table
        # what datasets wrote of the features would hide the new one
        parquet.write_table(without.append_column(FEATURE, column).replace_schema_metadata(None), file)


def _add_feature(root: Path, count: int) -> None:
    info = read_info(root)
    names = [f"thing{slot}.{part}" for slot in range(count // len(PARTS)) for part in PARTS]
    info["features"][FEATURE] = {"dtype": "float32", "shape": [count], "names": names}
    (root / "meta" / "info.json").write_text(json.dumps(info, indent=4))


def _add_statistics(root: Path, values: np.ndarray) -> None:
    file = root / "meta" / "stats.json"
    statistics: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    statistics[FEATURE] = {
        "min": values.min(0).tolist(),
        "max": values.max(0).tolist(),
        "mean": values.mean(0).tolist(),
        "std": values.std(0).tolist(),
        "count": [len(values)],
    }
    file.write_text(json.dumps(statistics, indent=4))
