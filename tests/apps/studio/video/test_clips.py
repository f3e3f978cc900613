"""What the studio answers about clips is what the session gives, and what a page sends is checked."""

import csv
import io
import json
import time

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")
pytest.importorskip("httpx", reason="starlette's test client needs httpx")

from starlette.testclient import TestClient

from motes.apps.session.edits import Edits
from motes.apps.session.foresight import Shot, Wanted
from motes.apps.session.session import Session
from motes.apps.studio.messages import pixels, unpack
from motes.apps.studio.server import Studio
from motes.apps.studio.shelf import Shelf
from motes.models.motion.changed_start import with_changed_start
from motes.training.recipe import read_recipe

HOME = "http://127.0.0.1:7860"
CLIP = "held-out/motion/12"
FILM = {
    "film": "ab12",
    "frames": "6",
    "rows": "24",
    "columns": "32",
    "rate": "25",
    "height": "48",
    "width": "64",
}


@pytest.fixture(scope="module")
def client(clip_runs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("numbered")
    for number in range(9, 18):
        Image.new("RGB", (40, 40), (10 * number, 0, 90)).save(folder / f"take {number}.png")
    Image.new("RGB", (40, 40)).save(folder / "other.png")
    with TestClient(Studio(Shelf(clip_runs, [folder])).app(), HOME) as client:
        yield client


class Talk:
    def __init__(self, socket):
        self.socket = socket
        self.greeting = unpack(socket.receive_bytes())[0]

    def ask(self, ask, run=0, clip=CLIP, **told):
        self.socket.send_text(json.dumps({"ask": ask, "n": 7, "run": run, "clip": clip, **told}))
        return unpack(self.socket.receive_bytes())

    def follow(self, clip=CLIP, run=0):
        """Until all frames of a clip have been followed."""
        facts, _ = self.ask("follow", run, clip, after=0)
        while not facts.get("finished") and "problem" not in facts:
            time.sleep(0.02)
            facts, _ = self.ask("followed", run, clip, after=0)
        return facts


@pytest.fixture
def talk(client):
    with client.websocket_connect("ws://127.0.0.1:7860/talk") as socket:
        yield Talk(socket)


@pytest.fixture(scope="module")
def held_out(clip_runs):
    """The pictures of the second held-out clip."""
    data = read_recipe(clip_runs[0]).data.open("validation").pixels(range(12, 24))
    return [Image.fromarray(frame.transpose(1, 2, 0)) for frame in data]


def test_a_clip_comes_as_the_model_takes_it(talk, held_out):
    facts, arrays = talk.ask("frames", first=3, count=4)
    assert facts["first"] == 3
    assert np.array_equal(
        arrays["frames"], np.stack([np.asarray(held_out[number]) for number in range(3, 7)])
    )
    assert talk.ask("frames", first=10, count=8)[1]["frames"].shape == (2, 32, 32, 3), "the clip ends there"
    assert talk.ask("enter")[0]["facts"]["film"] == {"follows": True, "predicts": True, "varies": True}
    assert talk.ask("enter", run=1)[0]["facts"]["film"] == {
        "follows": True,
        "predicts": False,
        "varies": False,
    }


def test_things_are_followed_as_by_the_session(talk, clip_runs, held_out, tmp_path):
    facts = talk.follow()
    for number, frame in enumerate(held_out):
        frame.save(tmp_path / f"{number:02d}.png")
    clip = Session.open(clip_runs[0]).track(tmp_path)
    assert (facts["frames"], facts["done"], len(facts["things"])) == (12, 12, 12)
    for frame, things in enumerate(facts["things"]):
        slots = (clip.track[frame] >= 0).nonzero()[:, 0].tolist()
        assert [thing[0] for thing in things] == clip.track[frame, slots].tolist()
        assert [bool(thing[3]) for thing in things] == clip.seen[frame, slots].tolist()
    files = talk.ask("tracks")[0]
    rows = list(csv.DictReader(io.StringIO(files["csv"])))
    assert len(rows) == sum(map(len, facts["things"])) > 0
    first = facts["things"][0][0]
    assert float(rows[0]["row"]) + 0.5 == pytest.approx(first[1], abs=0.01), "0 is an edge in the page"
    assert len(files["mot"].splitlines()) == sum(row["seen"] == "True" for row in rows)
    assert talk.ask("followed", after=10)[0]["things"] == facts["things"][10:]


def test_following_can_be_stopped(talk):
    talk.ask("follow", clip="held-out/motion/0", after=0)
    talk.ask("unfollow")
    assert "not being followed" in talk.ask("followed", clip="held-out/motion/0", after=0)[0]["problem"]
    assert "to its end" in talk.ask("tracks", clip="held-out/motion/0")[0]["problem"]


def test_a_future_is_the_sessions(talk, clip_runs, held_out):
    facts, arrays = talk.ask("future", frame=6, steps=4, samples=3)
    session = Session.open(clip_runs[0])
    expected = session.foresee(Shot("clip", held_out[:7]), 7, 4, wanted=Wanted(samples=3))
    assert np.array_equal(arrays["frames"], np.stack([pixels(picture) for picture in expected.drawn[7:]]))
    assert len(facts["things"]) == 5, "the last given frame comes first"
    assert [len(sample) for sample in facts["samples"]] == [4, 4, 4]


def test_the_future_of_an_edited_frame_is_another(talk, clip_runs, held_out):
    before = Session.open(clip_runs[0]).encode(Session.open(clip_runs[0]).read(held_out[6]))
    plain = talk.ask("future", frame=6, steps=3, samples=0)
    middle = torch.tensor(plain[0]["things"][0][0][1:]) / 16 - 1
    chosen = int((before.position[0] - middle).norm(dim=-1).argmin())
    row, column = before.position[0, chosen].tolist()
    edits = {"particles": {str(chosen): {"position": [row + 0.3, column]}}}
    edited = talk.ask("future", frame=6, steps=3, samples=0, edits=edits)
    assert not np.array_equal(plain[1]["frames"], edited[1]["frames"])
    starts = [np.array([thing[1:] for thing in answer[0]["things"][0]]) for answer in (plain, edited)]
    moved = np.abs(starts[1] - starts[0]).max(1)
    assert moved.max() == pytest.approx(0.3 * 16, abs=0.02) and (moved > 0.02).sum() == 1
    without = {"particles": {str(chosen): {"presence": 0}}}
    assert (
        len(talk.ask("future", frame=6, steps=3, samples=0, edits=without)[0]["things"][0])
        == len(starts[0]) - 1
    )
    two = {"particles": {str(before.count): {"copy_of": ["", chosen], "position": [0, 0]}}}
    assert (
        len(talk.ask("future", frame=6, steps=3, samples=0, edits=two)[0]["things"][0]) == len(starts[0]) + 1
    )
    refused = Wanted(edits=Edits.read({"background": "nowhere"}))
    with pytest.raises(Exception, match="no picture 'nowhere'"):
        Session.open(clip_runs[0]).foresee(Shot("clip", held_out[:7]), 7, 4, wanted=refused)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"ask": "frames", "first": 12, "count": 1}, "first should be a whole number from 0 to 11"),
        ({"ask": "frames", "first": 0, "count": 10**9}, "count should be a whole number"),
        ({"ask": "frames", "first": 0, "count": 1, "clip": "held-out/motion/400"}, "no frame of a clip"),
        ({"ask": "frames", "first": 0, "count": 1, "clip": ["x"]}, "clip should be a clip's name"),
        ({"ask": "follow", "after": 0, "clip": "film/../x"}, "has not come yet"),
        ({"ask": "future", "frame": 0, "steps": 4, "samples": 0}, "one frame shows no motion"),
        ({"ask": "future", "frame": 3, "steps": 4, "samples": 0, "run": 1}, "did not learn how things move"),
        ({"ask": "future", "frame": 3, "steps": 1e9, "samples": 0}, "steps should be a whole number"),
        ({"ask": "future", "frame": 3, "steps": 2, "samples": 0, "edits": 3}, "edits should be an object"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(talk, told, sentence):
    assert sentence in talk.ask(**told)[0]["problem"]


def test_numbered_pictures_of_a_folder_are_a_clip(talk):
    (names,) = talk.greeting["numbered"]
    assert names[0] == "folder/0/take 9.png" and names[-1] == "folder/0/take 17.png"
    frames = talk.ask("frames", clip=names[0], first=2, count=3)[1]["frames"]
    assert frames[:, 0, 0].tolist() == [[110, 0, 90], [120, 0, 90], [130, 0, 90]]
    assert talk.follow(clip=names[0])["done"] == 9


def test_frames_of_a_pages_own_film_come_when_they_are_sent(client, talk):
    session = {"x-motes-session": talk.greeting["session"]}

    def send(start, sent, **told):
        return client.post(
            "/frames", params={**FILM, "first": str(start), **told}, content=sent, headers=session
        )

    red = np.zeros((24, 32, 3), np.uint8) + np.array([200, 0, 0], np.uint8)
    assert send(0, red.tobytes() * 4).status_code == 200
    assert talk.ask("frames", clip="film/ab12", first=2, count=4)[0]["missing"] == [4, 5]
    assert "frame 5 of this clip has not come" in talk.follow(clip="film/ab12")["problem_of_tracks"]
    assert send(4, red.tobytes() * 2).status_code == 200
    assert talk.ask("frames", clip="film/ab12", first=2, count=4)[1]["frames"].shape == (4, 32, 32, 3)
    assert talk.follow(clip="film/ab12")["problem_of_tracks"] == ""
    assert send(5, red.tobytes() * 2).status_code == 415, "beyond the end"
    assert send(0, red.tobytes()[:-1]).status_code == 415
    assert "too many for the studio" in send(0, red.tobytes(), frames="5000", rows="500", columns="500").text
    assert "rows of a film" in send(0, red.tobytes(), rows="9" * 30).text
    assert send(0, red.tobytes(), film="../x").status_code == 415
    assert (
        client.post("/frames", params=FILM, content=b"", headers={"x-motes-session": "?"}).status_code == 403
    )
    with client.websocket_connect("ws://127.0.0.1:7860/talk") as socket:
        other = Talk(socket)
        assert other.ask("frames", clip="film/ab12", first=2, count=2)[0]["missing"] == [2, 3]


def test_what_is_changed_at_the_start_keeps_its_velocity(clip_runs, held_out):
    model = Session.open(clip_runs[0]).model
    image = torch.stack([torch.from_numpy(np.array(frame)) for frame in held_out]).permute(0, 3, 1, 2) / 255
    clip = model.track(image, 12)
    before = model.encode(image[-1:])
    apart = torch.cdist(before.position[0], clip.particles.position[-1])
    apart[:, clip.track[-1] < 0] = 9
    particle, slot = divmod(int(apart.argmin()), clip.particles.count)
    row, column = before.position[0, particle].tolist()
    changed = with_changed_start(clip, before, before.placed(particle, (row + 0.2, column - 0.1)), {})
    by = changed.particles.position[:, slot] - clip.particles.position[:, slot]
    assert torch.allclose(by, torch.tensor([[0.2, -0.1]]).expand(12, 2), atol=1e-5)
    others = [number for number in range(clip.particles.count) if number != slot]
    assert torch.equal(changed.particles.position[:, others], clip.particles.position[:, others])


EDITS = {"particles": {"0": {"position": [0.25, -0.5], "presence": 1.0}}, "background": "held-out/motion/0"}


def test_printed_lines_predict_what_the_page_shows(client, talk, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    session = {"x-motes-session": talk.greeting["session"]}
    frames = np.random.default_rng(0).integers(0, 256, (6, 24, 32, 3), np.uint8)
    client.post("/frames", params={**FILM, "first": "0"}, content=frames.tobytes(), headers=session)
    for clip in (CLIP, talk.greeting["numbered"][0][0], "film/ab12"):
        told = {"clip": clip, "frame": 4, "steps": 3, "samples": 2, "edits": EDITS}
        shown = talk.ask("future", **told)[1]["frames"]
        lines = talk.ask("future_python", **told)[0]["lines"]
        exec(lines, {})
        drawn = [np.asarray(Image.open(tmp_path / f"next-{number:02d}.png")) for number in (1, 2, 3)]
        assert np.array_equal(np.stack(drawn), shown), lines


def test_a_fault_while_following_is_told_and_the_page_goes_on(client, talk, monkeypatch):
    def broken(self, *_):
        raise ValueError("broken")

    monkeypatch.setattr("motes.apps.session.following._in_film", broken)
    facts = talk.follow(clip="held-out/motion/0", run=1)
    assert facts["problem_of_tracks"] == "the things of this clip could not be followed (ValueError)"
    assert talk.ask("frames", first=0, count=1)[0]["first"] == 0
