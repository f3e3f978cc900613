"""Films of tracks: every thing with a ring, its number and the way that it came."""

from collections import deque

from PIL import Image, ImageDraw, ImageFont

from motes.apps.drawing.marks import COLOURS, SMOOTH, Colour, laid_over
from motes.apps.session.following import Followed

# pixels of the longer side of the film, about
SIDE = 640
# frames of the way that is shown
TRAIL = 24
# of the shorter side of the picture
RADIUS = 0.02
NUMBER = 0.045


class Trails:
    """Draws frame by frame; it remembers where each thing was in the frames before."""

    def __init__(self) -> None:
        # track -> places in the picture drawn on, the newest last
        self._ways: dict[int, deque[tuple[int, float, float]]] = {}

    def drawn(self, followed: Followed) -> list[Image.Image]:
        """The pictures of these frames with marks. A thing that is not seen has a thin ring where it should
        be."""
        return [self._frame(followed, frame) for frame in range(followed.clip.frames)]

    def _frame(self, followed: Followed, frame: int) -> Image.Image:
        picture = followed.pictures[frame]
        number = followed.first + frame
        scale = picture.width / followed.footage.size[1]
        clip = followed.clip
        shown: dict[int, bool] = {}
        for slot in (
            ((clip.track[frame] >= 0) & (clip.particles.presence[frame] > 0)).nonzero()[:, 0].tolist()
        ):
            track = int(clip.track[frame, slot])
            row, column = ((followed.places[frame, slot] + 0.5) * scale).tolist()
            shown[track] = bool(clip.seen[frame, slot])
            self._ways.setdefault(track, deque(maxlen=TRAIL)).append((number, column, row))
        self._forget(number)
        return self._marked(picture, shown)

    def _forget(self, number: int) -> None:
        old = [track for track, trail in self._ways.items() if trail[-1][0] < number - TRAIL]
        for track in old:
            del self._ways[track]

    def _marked(self, picture: Image.Image, shown: dict[int, bool]) -> Image.Image:
        layer = Image.new("RGBA", (picture.width * SMOOTH, picture.height * SMOOTH))
        pen = ImageDraw.Draw(layer)
        radius = max(RADIUS * min(picture.size), 4) * SMOOTH
        for track, seen in shown.items():
            line = [(column * SMOOTH, row * SMOOTH) for _, column, row in self._ways[track]]
            _way(pen, line, _colour(track), radius / 3)
            _ring(pen, line[-1], radius, _colour(track), seen)
        drawn = laid_over(picture, layer)
        places = {track: self._ways[track][-1][1:] for track in shown}
        _numbers(drawn, places, radius / SMOOTH)
        return drawn


def _colour(track: int) -> Colour:
    return COLOURS[track % len(COLOURS)]


def _way(pen: ImageDraw.ImageDraw, way: list[tuple[float, float]], colour: Colour, width: float) -> None:
    """Draw the way as a line that fades into the past."""
    for step in range(1, len(way)):
        strength = (step + TRAIL - len(way)) / TRAIL
        pen.line([way[step - 1], way[step]], (*colour, round(40 + 200 * strength)), round(width), "curve")


def _ring(
    pen: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, colour: Colour, seen: bool
) -> None:
    x, y = centre
    width = radius * (0.35 if seen else 0.15)
    rim = radius + width / 3
    if seen:
        pen.ellipse(
            [x - rim, y - rim, x + rim, y + rim], outline=(255, 255, 255, 255), width=round(1.7 * width)
        )
    pen.ellipse([x - radius, y - radius, x + radius, y + radius], outline=(*colour, 255), width=round(width))


def _numbers(picture: Image.Image, places: dict[int, tuple[float, float]], radius: float) -> None:
    pen = ImageDraw.Draw(picture)
    size = max(round(NUMBER * min(picture.size)), 9)
    font = ImageFont.load_default(size)
    for track, (column, row) in places.items():
        width = pen.textlength(str(track), font) + 2
        corner = (min(column + radius, picture.width - width), max(row - radius - size, 0))
        pen.text(corner, str(track), _colour(track), font, stroke_width=2, stroke_fill="white")
