"""Which pictures are read."""

import io
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from motes.apps.cli.main import main
from motes.apps.drawing.film import Film
from motes.apps.session.picture_reader import Reader, expand
from motes.models.particles.dlp import DeepLatentParticles, DlpConfig


def test_masks_beside_pictures_are_not_read_as_pictures(tmp_path):
    for name in ("images/a.png", "masks/a.png", "images/b.png", "masks/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("L", (8, 8)).save(tmp_path / name)
    assert [path.name for path in expand([tmp_path])] == ["a.png", "b.png"]
    assert {path.parent.name for path in expand([tmp_path])} == {"images"}
    assert len(expand([tmp_path / "masks"])) == 2  # whoever names the masks themselves gets them


@pytest.mark.slow
def test_a_video_is_read_frame_by_frame_and_its_marks_become_a_film(tmp_path):
    av = pytest.importorskip("av", reason="PyAV is not installed")
    with Film(tmp_path / "clip.mp4", 12.5) as film:
        for light in range(0, 240, 20):
            film.add(Image.new("RGB", (33, 32), (light,) * 3))
    Image.new("RGB", (32, 32)).save(tmp_path / "z.png")
    model = DeepLatentParticles(
        DlpConfig(image_size=(16, 16), num_particles=3, num_proposals=4, glimpse_size=8, feature_dim=2)
    )
    model.save(tmp_path / "run")
    with pytest.raises(SystemExit) as end, redirect_stdout(io.StringIO()):
        main(
            [
                "encode",
                *(str(tmp_path / name) for name in ("run", "clip.mp4", "z.png")),
                "--out",
                str(tmp_path / "out"),
            ]
        )
    assert end.value.code == 0
    arrays = np.load(tmp_path / "out" / "particles.npz")
    assert [Path(name).name for name in arrays["pictures"]] == [f"{n:06d}" for n in range(12)] + ["z.png"]
    with av.open(str(tmp_path / "out" / "00000-clip-particles.mp4")) as drawn:
        frames = [frame.to_image() for frame in drawn.decode(video=0)]
        assert float(drawn.streams.video[0].average_rate) == pytest.approx(12.5)
    assert len(frames) == 12 and frames[0].size == (512, 512)
    assert (tmp_path / "out" / "00012-z-particles.png").exists()


def test_a_folder_of_videos_gives_its_videos(tmp_path):
    (tmp_path / "a.mp4").touch()
    assert expand([tmp_path]) == [tmp_path / "a.mp4"]
    reader = Reader((8, 8), 3)
    assert list(reader([tmp_path])) == [] and "a.mp4" in reader.skipped[0]  # empty, and said so
