"""Text in the format of the MOT challenge: a line for each thing in each frame."""

from collections.abc import Sequence
from pathlib import Path

from motes.apps.export.found import FoundFilm
from motes.data.tracks.mot_text import result_line
from motes.errors import UserError


def write_mot(films: Sequence[FoundFilm], path: Path, ending: str) -> None:
    film, *others = films
    if others or not film.followed:
        what = f"{len(films)} films" if others else "single pictures"
        raise UserError(f"text of the MOT challenge is of one film, not of {what}")
    path.write_text(
        "".join(
            result_line(frame, thing.number + 1, thing.box, thing.certainty)
            for frame, of_frame in enumerate(film.things)
            for thing in of_frame
        )
    )
