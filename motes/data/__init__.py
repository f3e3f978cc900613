"""DATASETS: name -> class, imported when asked for."""

from typing import TYPE_CHECKING

from motes.plain.registry import Registry

if TYPE_CHECKING:
    from motes.data.base import Dataset

DATASETS: "Registry[type[Dataset]]" = Registry(
    "data",
    {
        "shapes": "worlds.flat.shapes:Shapes",
        "sprites": "worlds.flat.sprites:Sprites",
        "tetrominoes": "worlds.flat.tetrominoes:Tetrominoes",
        "balls": "worlds.flat.balls:Balls",
        "scenes": "worlds.solid.scenes:Scenes",
        "rolling": "worlds.solid.rolling:Rolling",
        "faces": "worlds.faces.faces:Faces",
        "traffic": "worlds.roads.traffic:Traffic",
        "digits": "published.digits:Digits",
        "rectangles": "worlds.flat.rectangles:Rectangles",
        "convex": "worlds.flat.convex:Convex",
        "dead-leaves": "worlds.flat.dead_leaves:DeadLeaves",
        "chairs": "worlds.chairs.chairs:Chairs",
        "ball": "worlds.solid.shaded_ball:Ball",
        "two_faces": "worlds.faces.two_faces:TwoFaces",
        "arm": "worlds.solid.arm:Arm",
        "streets": "worlds.roads.streets:Streets",
        "eyes": "worlds.faces.eyes:Eyes",
        "folder": "files.folder:Folder",
        "labelled": "files.labelled:Labelled",
        "prepared": "prepared.prepared:Prepared",
        "video": "files.video:Video",
        "sequences": "files.sequences:Sequences",
        "npy": "files.npy:Npy",
        "hdf5": "files.hdf5:Hdf5",
        "coco": "files.coco:Coco",
        "celeba": "published.celeba:CelebA",
        "huggingface": "files.huggingface:HuggingFace",
        "lerobot": "files.lerobot:LeRobot",
        "clevrer": "published.clevrer:Clevrer",
        "traffic2022": "published.traffic2022:Traffic2022",
    },
)
