"""DATASETS: name -> class, imported when asked for."""

from typing import TYPE_CHECKING

from motes.ops.table import Table

if TYPE_CHECKING:
    from motes.data.base import Dataset

DATASETS: "Table[type[Dataset]]" = Table(
    "data",
    {
        "shapes": "shapes:Shapes",
        "sprites": "sprites:Sprites",
        "tetrominoes": "tetrominoes:Tetrominoes",
        "balls": "balls:Balls",
        "scenes": "scenes:Scenes",
        "rolling": "rolling:Rolling",
        "faces": "faces:Faces",
        "traffic": "traffic:Traffic",
        "digits": "digits:Digits",
        "rectangles": "rectangles:Rectangles",
        "convex": "convex:Convex",
        "dead-leaves": "dead_leaves:DeadLeaves",
        "chairs": "chairs:Chairs",
        "ball": "ball:Ball",
        "two_faces": "two_faces:TwoFaces",
        "arm": "arm:Arm",
        "streets": "streets:Streets",
        "eyes": "eyes:Eyes",
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
    },
)
