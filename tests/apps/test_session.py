"""Which pictures a session reads."""

from PIL import Image

from motes.apps.session import expand


def test_masks_beside_pictures_are_not_read_as_pictures(tmp_path):
    for name in ("images/a.png", "masks/a.png", "images/b.png", "masks/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("L", (8, 8)).save(tmp_path / name)
    assert [path.name for path in expand([tmp_path])] == ["a.png", "b.png"]
    assert {path.parent.name for path in expand([tmp_path])} == {"images"}
    assert len(expand([tmp_path / "masks"])) == 2  # whoever names the masks themselves gets them
