"""Films as tracks: in pixels of the film, piece by piece, the same for tables of particles."""

import numpy as np
import pytest
import torch
from PIL import Image

from motes.apps.drawing.film import Film
from motes.apps.session import following
from motes.apps.session.film_numbers import FilmNumbers
from motes.apps.session.following import Reading
from motes.apps.session.footage import footage_of
from motes.apps.session.session import Session
from motes.apps.session.track_files import rows_of_tracks
from motes.errors import UserError
from motes.models import MODELS
from motes.models.tracking import follower_of
from motes.types.clips import ParticleClip
from motes.types.latents import Particles
from tests.apps.spots import Spots, picture, places, write_video

FRAMES = 20


@pytest.fixture
def video(tmp_path):
    pytest.importorskip("av", reason="needs pip install 'motes[video]'")
    return write_video(tmp_path / "film.mp4", FRAMES)


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for frame in range(FRAMES):
        picture(frame, hidden=("red",) if frame in (8, 9) else ()).save(folder / f"{frame:04d}.png")
    return folder


def rows(session, source, **reading):
    (film,) = footage_of(source)
    return [row for part in session.follow(film, Reading(**reading)) for row in rows_of_tracks(part)]


@pytest.mark.parametrize(("size", "fit"), [((48, 64), "fit"), ((64, 64), "stretch"), ((48, 48), "fit")])
def test_places_and_sizes_are_in_pixels_of_the_film(pictures, size, fit):
    found = rows(Session(Spots(size)), pictures, fit=fit)
    assert found
    by_track = {track: [row for row in found if row["track"] == track] for track in (0, 1)}
    for track, colour in ((0, "red"), (1, "green")) if found[0]["row"] < 50 else ((0, "green"), (1, "red")):
        for row in by_track[track]:
            if not row["seen"]:
                continue
            expected = places(row["frame"])[colour]
            np.testing.assert_allclose((row["row"], row["column"]), expected, atol=1.5)
            assert row["time"] == pytest.approx(row["frame"] / 25, abs=1e-6)
    window = 10 * 96 / size[0]
    assert found[0]["height"] == pytest.approx(window)
    assert {row["track"] for row in found} == {0, 1}


def test_what_is_not_seen_is_in_the_table_where_it_should_be(pictures):
    found = rows(Session(Spots()), pictures)
    unseen = [row for row in found if not row["seen"]]
    assert [row["frame"] for row in unseen] == [8, 9]
    for row in unseen:
        np.testing.assert_allclose((row["row"], row["column"]), places(row["frame"])["red"], atol=2.5)
    assert [row["presence"] for row in unseen] == [0.75, 0.5]


@pytest.mark.parametrize("batch", [1, 3, 7])
def test_pieces_make_no_difference(pictures, monkeypatch, batch):
    whole = rows(Session(Spots()), pictures)
    monkeypatch.setattr(following, "BATCH", batch)
    assert rows(Session(Spots()), pictures) == whole


def test_few_frames_wait_however_long_the_film_is(pictures, monkeypatch):
    monkeypatch.setattr(following, "BATCH", 4)
    (film,) = footage_of(pictures)
    parts = list(Session(Spots()).follow(film, Reading(side=256)))
    assert sum(part.clip.frames for part in parts) == FRAMES
    assert max(part.clip.frames for part in parts) <= 4
    assert [part.first for part in parts] == np.cumsum(
        [0] + [part.clip.frames for part in parts[:-1]]
    ).tolist()
    assert all(len(part.pictures) == part.clip.frames for part in parts)
    assert parts[0].pictures[0].size == (256, 192)


def test_a_session_gives_a_video_as_one_clip_with_identity(video):
    clip = Session(Spots()).track(video)
    assert isinstance(clip, ParticleClip) and clip.frames == len(clip) == FRAMES
    assert clip.track.tolist() == [[0, 1]] * FRAMES and clip.seen.all()


def test_a_model_follows_clips_of_tensors():
    model = Spots()
    frames = [np.asarray(picture(frame).resize((64, 48))) for frame in range(8)]
    image = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2) / 255
    clip = model.track(torch.cat([image, image.flip(0)]), frames=8)
    assert clip.clips == 2 and clip.track.tolist() == [[0, 1]] * 16
    with pytest.raises(UserError, match="no whole clips of 3 frames"):
        model.track(image, frames=3)


def test_particles_of_a_video_have_the_numbers_of_its_tracks(video, pictures):
    session = Session(Spots())
    numbers = FilmNumbers(session)
    one = pictures / "0003.png"
    sources = [one, video, one, video]
    paths, sources_of, handed_out = [], [], []
    for encoded in session.encode_files(sources, batch=7):
        numbers.add(encoded, session.boxes(encoded.latent))
        paths += encoded.paths
        sources_of.append(encoded.latent.features[..., 0])
        handed_out += numbers.certain()
    assert 0 < len(handed_out) < len(paths), "while the films are read"
    tracks = np.stack([*handed_out, *numbers.rest()])
    assert len(tracks) == len(paths) == 2 * FRAMES + 2
    assert (tracks[[0, FRAMES + 1]] == -1).all()
    clip = session.track(video)
    expected = np.full((FRAMES, 2), -1)
    for frame in range(FRAMES):
        expected[frame, clip.source[frame]] = clip.track[frame]
    for first in (1, FRAMES + 2):
        np.testing.assert_array_equal(tracks[first : first + FRAMES], expected)


def test_particles_have_the_numbers_of_a_model_that_follows_by_its_posterior(tmp_path):
    """With the model of shapes that comes with motes: two squares that pass each other."""
    pytest.importorskip("av", reason="needs pip install 'motes[video]'")
    film = tmp_path / "film.mp4"
    with Film(film, rate=25.0) as writer:
        for frame in range(12):
            shown = Image.new("RGB", (64, 64), (0, 255, 255))
            shown.paste((200, 30, 40), (4 + 4 * frame, 10, 14 + 4 * frame, 20))
            shown.paste((40, 40, 160), (50 - 4 * frame, 40, 60 - 4 * frame, 50))
            writer.add(shown)
    session = Session.open("shapes", "cpu")
    assert follower_of(session.model) is not None
    numbers = FilmNumbers(session)
    latents = []
    tracks = []
    for encoded in session.encode_files([film], batch=5):
        numbers.add(encoded, None)
        latents.append(encoded.latent)
        tracks += numbers.certain()
    tracks = np.stack([*tracks, *numbers.rest()])
    found = Particles.cat(latents)
    clip = session.track(film)
    assert tracks.shape == (12, found.count)
    for frame in range(12):
        numbered = {int(track): slot for slot, track in enumerate(tracks[frame]) if track >= 0}
        assert len(numbered) == 2
        for track, slot in numbered.items():
            of_track = int((clip.track[frame] == track).nonzero()[0, 0])
            away = found.position[frame, slot] - clip.particles.position[frame, of_track]
            assert away.norm() < 0.1, "they lie on each other"
    assert len({frozenset(row[row >= 0].tolist()) for row in tracks}) == 1, "the same two in all frames"


def test_pictures_alone_have_no_tracks(pictures):
    session = Session(Spots())
    numbers = FilmNumbers(session)
    for encoded in session.encode_files([pictures]):
        numbers.add(encoded, None)
    assert (np.stack(numbers.certain()) == -1).all() and not numbers.rest()


def test_what_cannot_be_followed_is_said(tmp_path, pictures):
    with pytest.raises(UserError, match="does not exist"):
        footage_of(tmp_path / "nowhere.mp4")
    with pytest.raises(UserError, match="is no video by its name"):
        footage_of(pictures / "0003.png")
    alone = tmp_path / "alone"
    alone.mkdir()
    picture(0).save(alone / "1.png")
    with pytest.raises(UserError, match="has a single frame"):
        footage_of(alone)
    for name in ("a", "b"):
        (tmp_path / "two" / name).mkdir(parents=True)
        for frame in range(2):
            picture(frame).save(tmp_path / "two" / name / f"{frame}.png")
    with pytest.raises(UserError, match="has 2 films; name one of them"):
        Session(Spots()).track(tmp_path / "two")
    codes = MODELS["autoencoder"](MODELS["autoencoder"].Config(image_size=(16, 16), code_dim=4, width=8))
    with pytest.raises(UserError, match="Code, which has no particles to follow"):
        Session(codes).track(pictures)
