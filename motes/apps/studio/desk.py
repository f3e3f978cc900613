"""One client's desk: the pictures it opened, bounded; and the answers to what it asks. Knows nothing of
sockets."""

import hashlib
from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from PIL import Image as Pictures

from motes.apps.drawing.animation import KINDS
from motes.apps.session.edits import NAME, Edits
from motes.apps.session.kinds import kind_of
from motes.apps.session.script import python_lines
from motes.apps.session.session import Encoded, Session
from motes.apps.studio.health import checked
from motes.apps.studio.messages import fine, pack, pixels, plain
from motes.apps.studio.shelf import OpenedRun, Shelf, client_picture
from motes.errors import UserError
from motes.models.abilities import Samples

# pictures of a client that are kept: encoded ones, and its own
OPEN = 24
DROPPED = 8


class Desk:
    """Pure but for what is kept to be quick: every request carries the whole edit, so nothing is lost when
    something is forgotten."""

    def __init__(self, shelf: Shelf):
        self.shelf = shelf
        self.dropped: OrderedDict[str, Pictures.Image] = OrderedDict()
        self.encoded: OrderedDict[tuple[str, str, int], Encoded] = OrderedDict()
        self.samples = 0
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
        }

    def answer(self, told: dict[str, Any]) -> bytes:
        """What a client asked for, or a sentence why not."""
        number = number_of(told)
        try:
            ask = told.get("ask")
            if not isinstance(ask, str) or ask not in self.asks:
                raise UserError(f"ask should be one of {', '.join(self.asks)}")
            with torch.no_grad():
                facts, arrays = self.asks[ask](told)
        except UserError as problem:
            return pack({"n": number, "problem": str(problem)})
        return pack({"n": number, "ask": ask, **facts}, arrays)

    def take(self, raw: bytes) -> str:
        """Keep a picture that the client sent; the same bytes have the same name again, so that a link can
        be taken up."""
        name = "dropped/" + hashlib.sha256(raw).hexdigest()[:16]
        self.dropped[name] = client_picture(raw)
        while len(self.dropped) > DROPPED:
            self.dropped.popitem(last=False)
        return name

    def enter(self, told: dict[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A run is shown for the first time: its pictures, and what its model offers."""
        return {"facts": self.shelf.run(told.get("run")).details()}, {}

    def ranges(self, told: dict[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What sliders of looks or codes range over. Apart from `open`: many pictures are encoded for it,
        and nobody waits for that."""
        spread = self.shelf.run(told.get("run")).spread
        return {
            "ranges": None if spread is None else {name: plain(value) for name, value in vars(spread).items()}
        }, {}

    def open(self, told: dict[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All that a page needs of one picture: the picture, its latent in numbers, its layers, how it is
        drawn."""
        run = self.shelf.run(told.get("run"))
        found = self._find(run, told.get("picture"))
        session = run.session
        facts = {"picture": told["picture"], "run": told["run"], **latent_facts(found.latent)}
        arrays = {
            "image": pixels(found.image[0]),
            "drawn": pixels(session.decode(found.latent)[0]),
        } | _layers(session, found.latent)
        if (points := session.proposals(found.image)) is not None:
            facts["proposals"] = plain(points, 4)
        return facts, arrays

    def decode(self, told: dict[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The picture after the edits; with `layers`, also the glimpses and the background of it."""
        run = self.shelf.run(told.get("run"))
        session = run.session
        edits = Edits.read(told.get("edits", {}))
        latent = self._edited(run, told, edits)
        arrays = {"drawn": pixels(session.decode(latent)[0])}
        if told.get("layers"):
            arrays |= _layers(session, _unstacked(latent, edits))
        return {}, arrays

    def sample(self, told: dict[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A picture that the model makes up, to be opened by its name."""
        run = self.shelf.run(told.get("run"))
        model = run.session.model
        if not isinstance(model, Samples):
            raise UserError(f"{run.name} cannot make up pictures")
        latent = model.sample(1)
        self.samples += 1
        name = f"sampled/{self.samples}"
        self._keep(run, name, Encoded([], run.session.decode(latent), latent))
        return {"picture": name}, {}

    def python(self, told: dict[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The lines that do the same from Python."""
        run = self.shelf.run(told.get("run"))
        edits = Edits.read(told.get("edits", {}))
        self._edited(run, told, edits)  # what cannot be done is not written down
        latent = self._find(run, told["picture"]).latent
        return {
            "lines": python_lines(edits, latent, str(run.folder), told["picture"], self.shelf.expression)
        }, {}

    def animate(self, told: dict[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A GIF or an MP4 from the picture as it was to the picture as it is, and back."""
        kind = told.get("kind", "gif")
        if not isinstance(kind, str) or kind not in KINDS:
            raise UserError(f"kind should be {' or '.join(KINDS)}")
        run = self.shelf.run(told.get("run"))
        found = self._find(run, told.get("picture"))
        file = KINDS[kind](
            run.session,
            found.latent,
            Edits.read(told.get("edits", {})),
            lambda name: self._find(run, name).latent,
        )
        return {}, {"file": np.frombuffer(file, np.uint8)}

    def health(self, told: dict[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """How the model's latents look over held-out pictures."""
        run = self.shelf.run(told.get("run"))
        image = run.some_held_out()
        return (
            checked(run.session.encode(image)) if image is not None else {"numbers": [], "sentences": []}
        ), {}

    def renew(self, told: dict[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Take up a newer checkpoint of a run under way."""
        run = self.shelf.run(told.get("run"))
        fresh = run.renew()
        return {"fresh": fresh, "facts": run.details()}, {}

    def _edited(self, run: OpenedRun, told: dict[str, Any], edits: Edits) -> Any:
        return run.session.edit(
            self._find(run, told.get("picture")).latent, edits, lambda name: self._find(run, name).latent
        )

    def _find(self, run: OpenedRun, name: Any) -> Encoded:
        if not isinstance(name, str) or not 0 < len(name) <= NAME:
            raise UserError("picture should be a picture's name")
        session = run.session
        key = (run.name, name, id(session))
        if key in self.encoded:
            self.encoded.move_to_end(key)
            return self.encoded[key]
        image = (
            session.read(self.dropped[name]) if name in self.dropped else self.shelf.picture(name, session)
        )
        return self._keep(run, name, Encoded([], image, session.encode(image)))

    def _keep(self, run: OpenedRun, name: str, found: Encoded) -> Encoded:
        self.encoded[run.name, name, id(run.session)] = found
        while len(self.encoded) > OPEN:
            self.encoded.popitem(last=False)
        return found


def number_of(told: dict[str, Any]) -> int:
    """By which a client knows its question again; 0 where it has none."""
    number = told.get("n")
    return number if type(number) is int and abs(number) < 2**53 else 0


def latent_facts(latent: Any) -> dict[str, Any]:
    """A latent of one picture in numbers, for pages and exports."""
    kind = kind_of(latent)
    return {"kind": kind.name, **{name: plain(value) for name, value in kind.numbers(latent).items()}}


def _layers(session: Session, latent: Any) -> dict[str, np.ndarray]:
    layers = session.layers(latent)
    return (
        {} if layers is None else {"glimpses": fine(layers.glimpses), "background": fine(layers.background)}
    )


def _unstacked(latent: Any, edits: Edits) -> Any:
    """Layers are told in the particles' own order, whatever lies in front."""
    if not edits.order:
        return latent
    back = [0] * len(edits.order)
    for place, k in enumerate(edits.order):
        back[k] = place
    return latent.restacked(back)
