"""DATASETS, the registry that maps the name of each data set to its class, which is imported on first use."""

from typing import TYPE_CHECKING

from motes.plain.registry import Paper, Registry, Row

if TYPE_CHECKING:
    from motes.data.base import Dataset

DLP = Paper("https://arxiv.org/abs/2205.15821")
MULTI_OBJECT = Paper("https://github.com/google-deepmind/multi_object_datasets")
CLEVR = Paper("https://arxiv.org/abs/1612.06890")
CLEVRER = Paper("https://arxiv.org/abs/1910.01442")
DEEP_BENCHMARK = Paper("https://doi.org/10.1145/1273496.1273556")
DEAD_LEAVES = Paper("https://doi.org/10.1023/A:1011109015675")
CELEBA = Paper("https://arxiv.org/abs/1411.7766")
MOT = Paper("https://arxiv.org/abs/1603.00831")
YOUTUBE_VIS = Paper("https://arxiv.org/abs/1905.04804")
COCO = Paper("https://arxiv.org/abs/1405.0312")

GENERATED = {
    "shapes": Row(
        "worlds.flat.shapes:Shapes",
        "a few flat shapes on cyan or a photograph: the toy set of the 2022 paper",
        DLP,
    ),
    "sprites": Row(
        "worlds.flat.sprites:Sprites",
        "squares, ellipses and hearts that occlude each other: the multi-dSprites recipes",
        MULTI_OBJECT,
    ),
    "tetrominoes": Row(
        "worlds.flat.tetrominoes:Tetrominoes",
        "three tetrominoes that do not overlap, on black",
        MULTI_OBJECT,
    ),
    "balls": Row("worlds.flat.balls:Balls", "clips of balls that collide and occlude each other in a box"),
    "pushing": Row(
        "worlds.flat.pushing:Pushing",
        "clips of discs that are pushed by another, which recorded actions move",
    ),
    "scenes": Row(
        "worlds.solid.scenes:Scenes",
        "spheres, boxes and cylinders on a floor, as in CLEVR, with the truth in 3D",
        CLEVR,
    ),
    "rolling": Row(
        "worlds.solid.rolling:Rolling",
        "clips of such solids that roll, slide and collide, as in CLEVRER",
        CLEVRER,
    ),
    "faces": Row(
        "worlds.faces.faces:Faces",
        "faces with identity, pose, expression, light, and 5 or 68 landmarks",
    ),
    "animal": Row(
        "worlds.animals.animal:Animal",
        "an animal that turns, bends and walks, from above or from the side, grey, with 16 points",
    ),
    "traffic": Row(
        "worlds.roads.traffic:Traffic",
        "vehicles that queue, turn and occlude each other at a junction, as pictures or clips",
    ),
    "digits": Row(
        "published.digits:Digits",
        "the handwritten digits that come with scikit-learn: 1,797 pictures of 8 x 8 pixels, not generated",
    ),
    "rectangles": Row(
        "worlds.flat.rectangles:Rectangles",
        "outlines of rectangles, tall or wide: the published recipe of 2007",
        DEEP_BENCHMARK,
    ),
    "convex": Row(
        "worlds.flat.convex:Convex",
        "white shapes, convex or not: the published recipe of 2007",
        DEEP_BENCHMARK,
    ),
    "dead-leaves": Row(
        "worlds.flat.dead_leaves:DeadLeaves",
        "discs of all sizes that occlude each other: the statistics of photographs",
        DEAD_LEAVES,
    ),
    "chairs": Row("worlds.chairs.chairs:Chairs", "chairs by class and view, with masks"),
    "ball": Row(
        "worlds.solid.shaded_ball:Ball",
        "clips of a ball in which only azimuth, elevation, light or appearance varies",
    ),
    "two_faces": Row(
        "worlds.faces.two_faces:TwoFaces",
        "two people with the same expressions, so that a true swap is known",
    ),
    "arm": Row("worlds.solid.arm:Arm", "depth pictures of a jointed arm, with a sensor's noise"),
    "streets": Row("worlds.roads.streets:Streets", "streets with the layout of their classes"),
    "eyes": Row("worlds.faces.eyes:Eyes", "pairs of pictures of an eye that differ only in gaze"),
}

FILES = {
    "folder": Row("files.folder:Folder", "any folder of pictures, sub-folders included"),
    "labelled": Row("files.labelled:Labelled", "a folder of pictures with masks or landmarks beside them"),
    "prepared": Row(
        "prepared.prepared:Prepared", "what motes data prepare wrote: plain arrays, read without decoding"
    ),
    "video": Row(
        "files.video:Video",
        "a video or a folder of videos, as frames or clips",
        endings=(
            *(".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v"),
            *(".mpg", ".mpeg", ".wmv", ".ts", ".mts"),
        ),
    ),
    "sequences": Row("files.sequences:Sequences", "videos that lie as numbered pictures, as frames or clips"),
    "npy": Row(
        "files.npy:Npy", "arrays in .npy or .npz files, with masks beside them", endings=(".npy", ".npz")
    ),
    "hdf5": Row(
        "files.hdf5:Hdf5",
        "HDF5 files in the layout of the multi-object sets, as pictures or videos",
        MULTI_OBJECT,
        (".h5", ".hdf5", ".hdf"),
    ),
    "coco": Row(
        "files.coco:Coco",
        "pictures annotated in COCO's format: boxes, masks and key points",
        COCO,
        (".json",),
    ),
    "mot": Row(
        "tracks.mot:Mot", "videos with tracks in the format of the MOT challenge, as frames or clips", MOT
    ),
    "coco-video": Row(
        "tracks.coco_video:CocoVideo",
        "videos with tracks in the formats of YouTube-VIS and CocoVID, as frames or clips",
        YOUTUBE_VIS,
    ),
    "sleap": Row(
        "poses.sleap:Sleap", "labelled frames of a SLEAP project, with its animals", endings=(".slp",)
    ),
    "celeba": Row(
        "published.celeba:CelebA", "CelebA and its subset MAFL: aligned faces with five landmarks", CELEBA
    ),
    "huggingface": Row(
        "files.huggingface:HuggingFace",
        "Hugging Face data sets with pictures: parquet files, a saved folder, or a name on the hub",
        endings=(".parquet", ".arrow"),
    ),
    "lerobot": Row("files.lerobot:LeRobot", "LeRobot data sets, version 3: one camera as frames or clips"),
    "clevrer": Row(
        "published.clevrer:Clevrer", "CLEVRER: videos of solids that enter, roll and collide", CLEVRER
    ),
    "traffic2022": Row(
        "published.traffic2022:Traffic2022", "the road camera of the 2022 paper, as numbered frames", DLP
    ),
}

DATASETS: "Registry[type[Dataset]]" = Registry("data", {**GENERATED, **FILES}, "motes.data")
