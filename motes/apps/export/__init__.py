"""FORMATS: the files of other tools that particles and tracks are written to, by name. Imports no torch."""

from collections.abc import Callable
from typing import Any

from motes.plain.registry import Registry, Row

# writes found films (`motes.apps.export.found`) to a new path, in the format of this ending
FORMATS: "Registry[Callable[..., Any]]" = Registry(
    "apps.export",
    {
        "deeplabcut": Row(
            "deeplabcut:write_deeplabcut", "a DeepLabCut table of one film", endings=(".csv", ".h5")
        ),
        "coco": Row("coco:write_coco", "COCO annotations, with tracks in films", endings=(".json",)),
        "mot": Row("mot:write_mot", "text of the MOT challenge, of one film", endings=(".txt",)),
        "sleap": Row("sleap:write_sleap", "a SLEAP project", endings=(".slp",)),
        "nwb": Row("sleap:write_sleap", "pose estimates in Neurodata Without Borders", endings=(".nwb",)),
        # a folder
        "yolo": Row("yolo:write_yolo", "a folder of pictures and boxes, as Ultralytics trains on"),
        "lerobot": Row(
            "lerobot:write_lerobot", "a copy of a LeRobot data set with observation.environment_state"
        ),
    },
)
