"""`Desk`: the pictures that one client of the studio has open, and the answers to its questions.

It knows nothing of sockets.
"""

import hashlib
from contextlib import suppress
from functools import partial
from random import randrange
from typing import Any

import numpy as np
import torch
from PIL import Image as Pictures

from motes.apps.drawing.animation import KINDS, EditFilm, frames
from motes.apps.drawing.truth_marks import truth_marks
from motes.apps.session.edits import NAME, Edits
from motes.apps.session.kinds import kind_of
from motes.apps.session.script import python_lines
from motes.apps.session.session import Encoded, Session
from motes.apps.studio.copies import saved_copy
from motes.apps.studio.health import checked
from motes.apps.studio.messages import fine, number_of, pack, pixels, plain
from motes.apps.studio.shelf import EncodedKey, FileLook, OpenedRun, Shelf
from motes.apps.studio.video.answers import Clips, VideoAnswers, video_offers
from motes.apps.studio.watch import run_options
from motes.errors import UserError
from motes.ops.scores.metrics import psnr
from motes.plain.cache import Cache

# bytes of the pictures that a client sent, about eight of them, at most
DROPPED = 8 * 512 * 512 * 3
# seeds of pictures that models make up
SEEDS = 1_000_000
# pictures that are measured for one question, at most: others wait for the answer
MEASURED = 8

# a client's message; what an answer holds in JSON, and its arrays
Question = dict[str, Any]
Answer = tuple[dict[str, Any], dict[str, np.ndarray]]


class Desk:
    """Answers the questions of one client.

    An answer depends on its question alone, because each question carries the whole edit. Encoded pictures
    are cached only for speed, so nothing is lost when one is dropped from the cache.

    `key` tells the client from others.
    """

    def __init__(self, shelf: Shelf, key: str = "", clips: Clips | None = None):
        self.shelf = shelf
        self.key = key
        self.video = VideoAnswers(clips or Clips(shelf), key, self._latent, self._expression)
        self.dropped: Cache[str, Pictures.Image] = Cache(
            DROPPED, lambda picture: picture.width * picture.height * len(picture.getbands())
        )
        self.asks = {
            "enter": self.enter,
            "ranges": self.ranges,
            "open": self.open,
            "decode": self.decode,
            "sample": self.sample,
            "python": self.python,
            "animate": self.animate,
            "health": self.health,
            "renew": self.renew,
            "truth": self.truth,
            "decibels": self.decibels,
            "options": self.options,
            **self.video.asks,
        }

    def answer(self, question: Question) -> bytes:
        """The answer to a question as bytes to send; if it cannot be answered, a message with a sentence that
        says why."""
        number = number_of(question)
        try:
            ask = question.get("ask")
            if not isinstance(ask, str) or ask not in self.asks:
                raise UserError(f"ask should be one of {', '.join(self.asks)}")
            with torch.no_grad():
                facts, arrays = self.asks[ask](question)
        except UserError as problem:
            return pack({"n": number, "problem": str(problem)})
        return pack({"n": number, "ask": ask, **facts}, arrays)

    def undecoded(self, question: Question) -> list[FileLook]:
        """The pictures of folders that the answer needs and that are not decoded yet.

        They are decoded elsewhere, before the question goes to the models.
        """
        if not self.shelf.files:
            return []
        try:
            run = self._run(question)
            names = {question.get("picture"), *_edits(question).pictures}
            looks = [look for name in names if (look := self.shelf.undecoded(name, run))]
            return [*looks, *self.video.undecoded(question)]
        # the answer says what is wrong
        except (UserError, TypeError):
            return []

    def take(self, raw: bytes | bytearray) -> str:
        """Keep a picture that the client sent, and return its name.

        The same bytes always get the same name, so that a link with that name still works.
        """
        name = "dropped/" + hashlib.sha256(raw).hexdigest()[:16]
        self.dropped.put(name, self.shelf.decoder.shrunk(raw))
        return name

    def enter(self, question: Question) -> Answer:
        """The answer when a page first shows a run: the run's pictures, and what its model can do."""
        run = self._run(question)
        clips = 0 if run.held_out is None else len(run.held_out) // run.held_out.frames
        knows = clips > 0 and run.held_out is not None and run.held_out.truth([0]) is not None
        film = video_offers(run.session) if run.facts()["ready"] else {}
        return {"facts": {**run.details(), "clips": clips, "truth": knows, "film": film}}, {}

    def ranges(self, question: Question) -> Answer:
        """The ranges of the sliders for features or codes; None where the latent has neither.

        This is a question apart from `open` because many pictures are encoded for it, and the page need not
        wait.
        """
        spread = self._run(question).spread
        if spread is None:
            return {"ranges": None}, {}
        return {"ranges": {name: plain(value) for name, value in vars(spread).items()}}, {}

    def open(self, question: Question) -> Answer:
        """The answer when a page opens a picture.

        It holds the pixels, the latent in numbers, the layers, and the model's reconstruction.
        """
        run = self._run(question)
        encoded = self._find(run, question.get("picture"))
        latent = encoded.latent
        facts = {"picture": question["picture"], "run": question["run"], **latent_facts(latent)}
        drawn = run.session.decode(latent)
        arrays = {"image": pixels(encoded.image[0]), "drawn": pixels(drawn[0])}
        if (points := run.session.proposals(encoded.image)) is not None:
            facts["proposals"] = plain(points, 4)
        if (side := run.session.window) is not None:
            facts["window"] = side
        if (middles := run.session.middles(latent)) is not None:
            facts["offset"] = plain((middles - latent.position)[0])
        of_layers, layers = _layers(run.session, latent)
        return facts | of_layers, arrays | layers

    def decode(self, question: Question) -> Answer:
        """The picture after the edits; if the question asks for `layers`, also its glimpses and its
        background."""
        run = self._run(question)
        edits = _edits(question)
        latent = self._edited(run, question, edits)
        drawn = {"drawn": pixels(run.session.decode(latent)[0])}
        if not question.get("layers"):
            return {}, drawn
        facts, layers = _layers(run.session, _in_own_order(latent, edits))
        return facts, drawn | layers

    def sample(self, question: Question) -> Answer:
        """The name of a new picture that the model makes up; its seed is in the name, so the picture can
        always be opened again."""
        run = self._run(question)
        name = f"sampled/{run.name}/{randrange(SEEDS)}"
        self._find(run, name)
        return {"picture": name}, {}

    def python(self, question: Question) -> Answer:
        """Lines of Python that apply the same edits, and run as they are on this machine."""
        run = self._run(question)
        edits = _edits(question)
        # an edit that is refused is refused here too
        self._edited(run, question, edits)
        picture = question["picture"]
        latent = self._find(run, picture).latent
        lines = python_lines(edits, latent, run.python_name, picture, partial(self._expression, run))
        return {"lines": lines}, {}

    def _expression(self, run: OpenedRun, name: str) -> str:
        """The Python expression for the latent of a picture; a picture of the client's own is saved for it."""
        picture = self.dropped.get(name)
        if picture is None:
            return self.shelf.expression(run, name)
        return f"session.encode(session.read({str(saved_copy(name, picture))!r}))"

    def film(self, question: Question) -> EditFilm:
        """A film that goes from the encoded picture to the edited one, frame by frame."""
        kind = question.get("kind", "gif")
        if not isinstance(kind, str) or kind not in KINDS:
            raise UserError(f"kind should be {' or '.join(KINDS)}")
        run = self._run(question)
        edits = _edits(question)
        # an edit that is refused is refused here too
        self._edited(run, question, edits)
        latent = self._find(run, question["picture"]).latent
        images = frames(run.session, latent, edits, partial(self._latent, run))
        return EditFilm(images, KINDS[kind])

    def animate(self, question: Question) -> Answer:
        """The whole film at once, for who has the models to himself."""
        film = self.film(question)
        return {}, {"file": np.frombuffer(film.write(film.frames), np.uint8)}

    def health(self, question: Question) -> Answer:
        """Findings about the model's latents of held-out pictures, such as collapsed features."""
        run = self._run(question)
        image = run.some_held_out()
        if image is None:
            return {"numbers": [], "sentences": []}, {}
        return checked(run.session.encode(image)), {}

    def renew(self, question: Question) -> Answer:
        """Load the newest checkpoint of an unfinished run, if it is newer than the loaded one."""
        run = self._run(question)
        fresh = run.renew()
        return {"fresh": fresh, "facts": run.details()}, {}

    def truth(self, question: Question) -> Answer:
        """What is truly in a held-out picture, as far as the data know it."""
        name = str(question.get("picture"))
        with suppress(UserError):
            run, row = self.shelf.of_run(name)
            if name.startswith("held-out/") and run.held_out is not None and row < len(run.held_out):
                return {"truth": truth_marks(run.held_out, row)}, {}
        raise UserError("what is truly in this picture is not known")

    def decibels(self, question: Question) -> Answer:
        """How near what the model draws is to each of some pictures."""
        run = self._run(question)
        names = question.get("pictures")
        if not isinstance(names, list) or not 0 < len(names) <= MEASURED:
            raise UserError(f"pictures should be a list of 1 to {MEASURED} names")
        pictures = [self._find(run, name) for name in names]
        near = [psnr(run.session.decode(encoded.latent), encoded.image).item() for encoded in pictures]
        return {"decibels": [round(value, 2) for value in near]}, {}

    def options(self, question: Question) -> Answer:
        """The options of a run, by their names on the command line."""
        return {"options": run_options(self._run(question).folder)}, {}

    def _run(self, question: Question) -> OpenedRun:
        return self.shelf.run(question.get("run"))

    def _edited(self, run: OpenedRun, question: Question, edits: Edits) -> Any:
        latent = self._find(run, question.get("picture")).latent
        return run.session.edit(latent, edits, partial(self._latent, run))

    def _latent(self, run: OpenedRun, name: str) -> Any:
        return self._find(run, name).latent

    def _find(self, run: OpenedRun, name: Any) -> Encoded:
        """The encoded picture of this name, from the cache or encoded now."""
        if not isinstance(name, str) or not 0 < len(name) <= NAME:
            raise UserError("picture should be a picture's name")
        key = EncodedKey(self.key if name.startswith("dropped/") else "", name, run.checkpoint)
        if (encoded := self.shelf.encoded.get(key)) is not None:
            return encoded
        if (picture := self.dropped.get(name)) is None:
            return self.shelf.encoded.put(key, self.shelf.encoded_by(run, name))
        image = run.session.read(picture)
        return self.shelf.encoded.put(key, Encoded([], image, run.session.encode(image)))


def latent_facts(latent: Any) -> dict[str, Any]:
    """The latent of one picture as plain numbers, for pages and exports."""
    kind = kind_of(latent)
    return {"kind": kind.name, **{name: plain(value) for name, value in kind.numbers(latent).items()}}


def _layers(session: Session, latent: Any) -> Answer:
    """The layers of the picture, the point of each glimpse that lies at its particle's position, and the values
    that the ends of the background's numbers mean: a background alone may be darker or brighter than a picture."""
    layers = session.layers(latent)
    if layers is None:
        return {}, {}
    low = layers.background.min().clamp_max(0)
    high = layers.background.max().clamp_min(1)
    background = fine((layers.background - low) / (high - low))
    facts = {"middle": plain(layers.middle), "range": [low.item(), high.item()]}
    return facts, {"glimpses": fine(layers.glimpses), "background": background}


def _in_own_order(latent: Any, edits: Edits) -> Any:
    """The latent with its particles in the order before the edits, for which layers are sent."""
    if not edits.order:
        return latent
    positions = [0] * len(edits.order)
    for position, number in enumerate(edits.order):
        positions[number] = position
    return latent.restacked(positions)


def _edits(question: Question) -> Edits:
    return Edits.read(question.get("edits", {}))
