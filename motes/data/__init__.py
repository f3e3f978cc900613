"""DATASETS: name -> class, imported when asked for."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motes.data.base import Dataset

_PLACES = {
    "shapes": "shapes:Shapes",
    "sprites": "sprites:Sprites",
    "tetrominoes": "tetrominoes:Tetrominoes",
    "balls": "balls:Balls",
    "scenes": "scenes:Scenes",
    "rolling": "rolling:Rolling",
    "faces": "faces:Faces",
    "traffic": "traffic:Traffic",
    "folder": "folder:Folder",
    "labelled": "labelled:Labelled",
    "prepared": "prepared:Prepared",
    "video": "video:Video",
    "sequences": "sequences:Sequences",
    "npy": "npy:Npy",
    "hdf5": "hdf5:Hdf5",
    "coco": "coco:Coco",
    "celeba": "celeba:CelebA",
    "huggingface": "huggingface:HuggingFace",
    "lerobot": "lerobot:LeRobot",
    "clevrer": "clevrer:Clevrer",
    "traffic2022": "traffic2022:Traffic2022",
}


class _Datasets(Mapping[str, "type[Dataset]"]):
    """A read-only table whose values are imported on first use."""

    def __getitem__(self, name: str) -> "type[Dataset]":
        module, _, cls = _PLACES[name].partition(":")
        return getattr(import_module(f"motes.data.{module}"), cls)

    def __contains__(self, name: object) -> bool:  # Mapping's own would import what it looks for
        return name in _PLACES

    def __iter__(self) -> Iterator[str]:
        return iter(_PLACES)

    def __len__(self) -> int:
        return len(_PLACES)

    def source(self, name: str) -> str:
        """The module's place below `motes/`, so that options can be read without importing it."""
        return "data/" + _PLACES[name].partition(":")[0]


DATASETS = _Datasets()
