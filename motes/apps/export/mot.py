"""Text in the format of the MOT challenge: a line for each thing in each frame."""

from collections.abc import Sequence
from pathlib import Path

from motes.apps.export.found import FoundFilm
from motes.data.tracks.mot_text import result_line
from motes.errors import UserError


def write_mot(films: Sequence[FoundFilm], path: Path, ending: str) -> None:
    film, *other_films = films
    if other_films or not film.followed:
        contents = f"{len(films)} films" if other_films else "single pictures"
        raise UserError(f"text of the MOT challenge is of one film, not of {contents}")
    path.write_text(
        "".join(
            result_line(frame, thing.number + 1, thing.box, thing.certainty)
            for frame, of_frame in enumerate(film.things)
            for thing in of_frame
        )
    )
