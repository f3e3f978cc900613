"""SLEAP projects (.slp) and Neurodata Without Borders (.nwb), through sleap-io.

Each thing is an instance of a skeleton with one node, its middle, and has a box.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from motes.apps.export.found import FoundFilm
from motes.plain.packages import optional


def write_sleap(films: Sequence[FoundFilm], path: Path, ending: str) -> None:
    sleap = optional("sleap_io", "pose", "SLEAP and NWB need sleap-io")
    labels = _labels(films, sleap)
    # sleap-io looks at the ending of the file that it writes
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"labels{ending}"
        if ending == ".slp":
            sleap.save_file(labels, str(file), verbose=False)
        else:
            sleap.save_nwb(labels, file)
        shutil.copyfile(file, path)


def _labels(films: Sequence[FoundFilm], sleap: Any) -> Any:
    skeleton = sleap.Skeleton(["middle"], name="thing")
    frames = []
    for film in films:
        footage = film.footage
        files = [str(file) for file in footage.pictures]
        video = sleap.Video.from_filename(files or str(footage.path))
        tracks = {number: sleap.Track(f"thing{number}") for number in film.numbers}
        for frame, of_frame in enumerate(film.things):
            labelled = sleap.LabeledFrame(video, footage.first + frame)
            for thing in of_frame:
                track = tracks[thing.number] if film.followed else None
                labelled.instances.append(
                    sleap.PredictedInstance.from_numpy(
                        np.array([thing.place]),
                        skeleton,
                        np.array([thing.certainty]),
                        thing.certainty,
                        track,
                    )
                )
                box = sleap.PredictedBoundingBox.from_xywh(*thing.box, track=track, score=thing.certainty)
                labelled.bboxes.append(box)
            if of_frame:
                frames.append(labelled)
    return sleap.Labels(frames)
