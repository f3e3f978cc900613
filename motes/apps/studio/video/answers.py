"""`VideoAnswers`: the answers to a page's questions about clips."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from motes.apps.session.edits import Edits
from motes.apps.session.script import future_lines
from motes.apps.session.session import Session
from motes.apps.studio.opened_run import OpenedRun
from motes.apps.studio.shelf import EncodedKey, FileLook, Shelf
from motes.apps.studio.video.films import FRAMES, Films
from motes.apps.studio.video.futures import GIVEN, SAMPLES, STEPS, FutureWanted, foreseen, future_answer
from motes.apps.studio.video.reels import Reel, held_out_clip, numbered_clips, reel_of_files, reel_of_film
from motes.apps.studio.video.tracks import FilmTracks
from motes.data.files.picture_files import to_size
from motes.errors import UserError
from motes.models.abilities import Predicts, Segments, Varies
from motes.plain.cache import Cache, one_each
from motes.types.clips import ParticleClip

# frames that are sent at once, at most
AT_ONCE = 32
# bytes of tracks that are remembered
TRACKS = 2**26
# frames from which something was predicted that are remembered
GIVEN_KEPT = 32

Question = Mapping[str, Any]
Answer = tuple[dict[str, Any], dict[str, np.ndarray]]


class Clips:
    """What all pages share: the numbered pictures of folders, films that pages sent, and finished tracks."""

    def __init__(self, shelf: Shelf):
        self.shelf = shelf
        self.numbered = numbered_clips(list(shelf.files))
        self.films = Films()
        self.tracks: Cache[EncodedKey, FilmTracks] = Cache(TRACKS, lambda tracks: tracks.nbytes)
        # the frames before one from which something was predicted, as particles: further edits of it need them again
        self.given: Cache[tuple[EncodedKey, int], ParticleClip] = Cache(GIVEN_KEPT, one_each)

    def facts(self) -> dict[str, Any]:
        """What a page is sent when it opens."""
        return {"numbered": list(self.numbered.values())}


class VideoAnswers:
    """Answers one page. A clip goes by the name of its first frame, or film/NAME for one that the page sent."""

    def __init__(
        self,
        clips: Clips,
        page: str,
        latent: Callable[[OpenedRun, str], Any],
        expression: Callable[[OpenedRun, str], str],
    ):
        self.clips = clips
        self.page = page
        # the latent that a run's model encodes a picture to, by its name; and the Python expression for it
        self.latent = latent
        self.expression = expression
        # what is being followed for this page
        self.tracking: tuple[EncodedKey, FilmTracks] | None = None
        self.asks = {
            "frames": self.frames,
            "follow": self.follow,
            "followed": self.followed,
            "unfollow": self.unfollow,
            "tracks": self.tracks,
            "future": self.future,
            "future_python": self.future_python,
        }

    def frames(self, question: Question) -> Answer:
        """Some frames of a clip as the run's model takes them, N H W C; or the numbers of those that have to be sent
        first."""
        run = self._run(question)
        film = self._film(question)
        if film is None and str(question.get("clip")).startswith("film/"):
            return {"missing": list(_numbers(question, FRAMES))}, {}
        reel = self.reel(question, run)
        numbers = _numbers(question, len(reel))
        if film is not None and (missing := film.missing(numbers)):
            return {"missing": missing}, {}
        config = run.session.model.config
        frames = [to_size(frame, config.image_size, config.channels) for frame in reel.read(numbers)]
        return {"first": numbers.start}, {"frames": np.stack(frames).transpose(0, 2, 3, 1)}

    def follow(self, question: Question) -> Answer:
        """Begin to follow the things of a clip, if that was not done before, or came to no end."""
        run = self._run(question)
        key = self._key(question, run)
        tracks = self._tracks(key)
        if tracks is None or tracks.problem:
            self.tracking = (key, FilmTracks(run.session, self.reel(question, run)))
        return self.followed(question)

    def followed(self, question: Question) -> Answer:
        """How far the things of a clip have been followed, and where they are in the frames from `after` on."""
        tracks = self._tracks(self._key(question, self._run(question)))
        if tracks is None:
            raise UserError("the things of this clip are not being followed")
        return tracks.facts(whole(question, "after", 2**20)), {}

    def unfollow(self, question: Question) -> Answer:
        """Stop following; what was found so far is forgotten."""
        self.tracking = None
        return {}, {}

    def tracks(self, question: Question) -> Answer:
        """The tracks of a clip as the text of files."""
        tracks = self._tracks(self._key(question, self._run(question)))
        if tracks is None or not tracks.finished or tracks.problem:
            raise UserError("the things of this clip have not been followed to its end")
        return tracks.files(), {}

    def future(self, question: Question) -> Answer:
        """What comes after a frame, which may be edited."""
        run = self._run(question)
        reel = self.reel(question, run)
        wanted = self._future_wanted(question, run, reel)
        others = {name: self.latent(run, name) for name in wanted.edits.pictures}
        key = (self._key(question, run), wanted.frame)
        foresight = foreseen(run.session, reel, wanted, others, self.clips.given.get(key))
        if wanted.edits == Edits():
            self.clips.given.put(key, foresight.given)
        return future_answer(run.session, foresight)

    def future_python(self, question: Question) -> Answer:
        """Lines of Python that predict the same, and run as they are on this machine."""
        run = self._run(question)
        reel = self.reel(question, run)
        wanted = self._future_wanted(question, run, reel)
        others = {name: self.expression(run, name) for name in sorted(wanted.edits.pictures)}
        lines = future_lines(
            run.python_name,
            reel.python_shot(wanted.first, wanted.given, wanted.steps),
            (wanted.given, wanted.steps, wanted.samples),
            question.get("edits", {}),
            others,
        )
        return {"lines": lines}, {}

    def _future_wanted(self, question: Question, run: OpenedRun, reel: Reel) -> FutureWanted:
        if not isinstance(run.session.model, Predicts):
            raise UserError(f"{run.name} did not learn how things move; choose a run that did")
        return FutureWanted(
            whole(question, "frame", len(reel) - 1),
            max(whole(question, "steps", STEPS), 1),
            whole(question, "samples", SAMPLES),
            Edits.read(question.get("edits", {})),
        )

    def work(self) -> bool:
        """Follow on through some frames; whether there is more to do. This takes a moment of the model."""
        if self.tracking is None or self.tracking[1].finished:
            return False
        key, tracks = self.tracking
        tracks.step()
        if not tracks.finished:
            return True
        if not tracks.problem:
            self.clips.tracks.put(key, tracks)
        return False

    def needed(self) -> list[FileLook]:
        """What has to be decoded before `work` goes on."""
        return [] if self.tracking is None else self.tracking[1].undecoded()

    def undecoded(self, question: Question) -> list[FileLook]:
        """The pictures that the answer needs and that are not decoded yet."""
        if question.get("clip") not in self.clips.numbered:
            return []
        reel = self.reel(question, self._run(question))
        if "frame" in question:
            last = whole(question, "frame", len(reel) - 1)
            return reel.undecoded(range(max(last + 1 - GIVEN, 0), last + 1))
        return reel.undecoded(_numbers(question, len(reel))) if "count" in question else []

    def reel(self, question: Question, run: OpenedRun) -> Reel:
        """The clip that a question names."""
        name = question.get("clip")
        if not isinstance(name, str):
            raise UserError("clip should be a clip's name")
        if name.startswith("film/"):
            film = self._film(question)
            if film is None:
                raise UserError("this film has not come yet; wait until it is read")
            return reel_of_film(name, film)
        if name in self.clips.numbered:
            return reel_of_files(self.clips.shelf, self.clips.numbered[name], run)
        return held_out_clip(self.clips.shelf, name)

    def _film(self, question: Question) -> Any:
        return self.clips.films.of(self.page, str(question.get("clip")).removeprefix("film/"))

    def _tracks(self, key: EncodedKey) -> FilmTracks | None:
        if self.tracking is not None and self.tracking[0] == key:
            return self.tracking[1]
        return self.clips.tracks.get(key)

    def _key(self, question: Question, run: OpenedRun) -> EncodedKey:
        name = str(question.get("clip"))
        return EncodedKey(self.page if name.startswith("film/") else "", name, run.checkpoint)

    def _run(self, question: Question) -> OpenedRun:
        return self.clips.shelf.run(question.get("run"))


def video_offers(session: Session) -> dict[str, bool]:
    """What the model can do with clips."""
    model = session.model
    predicts = isinstance(model, Predicts) and session.offers.particles
    return {
        "follows": session.offers.particles or isinstance(model, Segments),
        "predicts": predicts,
        "varies": predicts and isinstance(model, Varies) and model.varies,
    }


def _numbers(question: Question, frames: int) -> range:
    """The numbers of the frames that a question asks for."""
    first = whole(question, "first", frames - 1)
    count = whole(question, "count", AT_ONCE)
    return range(frames)[first : first + max(count, 1)]


def whole(question: Question, name: str, most: int) -> int:
    value = question.get(name)
    if type(value) is not int or not 0 <= value <= most:
        raise UserError(f"{name} should be a whole number from 0 to {most}")
    return value
