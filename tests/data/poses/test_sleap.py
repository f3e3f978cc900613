"""SLEAP projects, as sleap-io writes them: frames and points of a row belong together, however the pictures lie."""

import numpy as np
import pytest
from PIL import Image

from motes.data.poses.sleap import Sleap, SleapConfig
from motes.data.recognise import find_source
from motes.errors import UserError
from motes.ops.points.pixels import pixels_of_points

sleap = pytest.importorskip("sleap_io", reason="sleap-io is not installed: pip install 'motes[pose]'")
COUNT = 12


def place(number):
    """x, y of the nose in a picture."""
    return (10.0 + number, 8.0 + 2 * number)


def write(root, animals=1, embed=False):
    """Pictures of 40 x 30 that are as bright as their number says, with a nose, and a tail that nobody sees."""
    files = []
    for number in range(COUNT):
        files.append(str(root / f"{number:02d}.png"))
        Image.new("L", (30, 40), 10 * number).save(files[-1])
    skeleton = sleap.Skeleton(["nose", "tail"])
    video = sleap.Video.from_filename(files)
    frames = []
    for number in range(COUNT):
        points = np.array([place(number), (np.nan, np.nan)])
        instances = [sleap.Instance.from_numpy(points - shift, skeleton) for shift in range(animals)]
        frames.append(sleap.LabeledFrame(video, number, instances))
    name = "project.pkg.slp" if embed else "project.slp"
    sleap.save_slp(sleap.Labels(frames), str(root / name), embed="all" if embed else False, verbose=False)
    return root / name


def opened(path):
    config = SleapConfig(str(path), image_size=(20, 15), channels=1, held_out=0.25)
    return [Sleap(config, split) for split in ("train", "validation", "test")]


@pytest.mark.parametrize("embed", [False, True], ids=["files", "embedded"])
def test_pixels_and_points_of_a_row_belong_together(tmp_path, embed):
    path = write(tmp_path, embed=embed)
    if embed:
        for file in tmp_path.glob("*.png"):
            file.unlink()
    assert find_source(str(path)) == ("sleap", {"path": str(path)})
    numbers = []
    for data in opened(path):
        rows = list(range(len(data)))
        shown = (data.pixels(rows).mean((1, 2, 3)) / 10).round().astype(int)
        truth = data.truth(rows)
        nose = pixels_of_points(truth.points[:, 0], (20, 15))
        for number, point in zip(shown, nose.tolist(), strict=True):
            x, y = place(number)
            inside = y <= 39
            assert point == pytest.approx([y / 2 - 0.25, x / 2 - 0.25], abs=1e-3) if inside else True
        assert truth.points[:, 1].isnan().all()
        numbers += shown.tolist()
    assert sorted(numbers) == list(range(COUNT))


def test_several_animals_are_things_and_no_landmarks(tmp_path):
    data = opened(write(tmp_path, animals=2))[0]
    truth = data.truth(range(len(data)))
    assert truth.points is None and truth.present.shape == (len(data), 2)
    first, second = pixels_of_points(truth.centres, (20, 15)).unbind(1)
    both = truth.present.all(1)
    assert (first - second)[both].numpy() == pytest.approx(0.5, abs=1e-3)


def test_pictures_that_moved_with_the_project_are_found_and_missing_ones_named(tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    write(old)
    new = old.rename(tmp_path / "new")
    assert opened(new / "project.slp")[0].pixels([0]).shape == (1, 1, 20, 15)
    (new / "03.png").unlink()
    with pytest.raises(UserError, match=r"03\.png"):
        opened(new / "project.slp")


def test_what_is_no_project_is_refused(tmp_path):
    (tmp_path / "no.slp").write_bytes(b"nothing")
    with pytest.raises(UserError, match="no SLEAP project"):
        opened(tmp_path / "no.slp")
