"""A folder laid out like CelebA with MAFL, file by file, with generated faces."""

from pathlib import Path

import numpy as np
from PIL import Image

from motes.data.worlds.faces.faces import Faces, FacesConfig
from motes.ops.points.pixels import pixels_of_points

SIDE = 178
ROWS = 218
TOP = 20
HEADER = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y"


def write_celeba(root: Path, counts: tuple[int, int, int, int]) -> Path:
    """`counts`: faces to learn from, MAFL's training faces, validation faces, MAFL's test faces."""
    faces = Faces(FacesConfig(image_size=(SIDE, SIDE), count=sum(counts), held_out=1))
    rows = range(sum(counts))
    points = pixels_of_points(faces.truth(rows).points, (SIDE, SIDE)).numpy()[..., ::-1] + (0, TOP)
    names = [f"{row + 1:06d}.jpg" for row in rows]
    for folder in ("Img/img_align_celeba_hq", "Anno", "Eval", "MAFL"):
        (root / folder).mkdir(parents=True)
    for row, name in zip(rows, names, strict=True):
        whole = np.full((ROWS, SIDE, 3), 128, np.uint8)
        whole[TOP : TOP + SIDE] = faces.pixels([row])[0].transpose(1, 2, 0)
        Image.fromarray(whole).save(root / "Img/img_align_celeba_hq" / name, quality=95)
    lines = [f"{name} {' '.join(str(round(n)) for n in points[row].flat)}" for row, name in enumerate(names)]
    (root / "Anno/list_landmarks_align_celeba.txt").write_text(
        "\n".join([str(len(names)), HEADER, *lines, ""])
    )
    learn, mafl, choose, test = np.split(names, np.cumsum(counts)[:-1])
    partition = [(name, 0) for name in [*learn, *mafl]]
    partition += [(name, 1) for name in choose]
    partition += [(name, 2) for name in test]
    (root / "Eval/list_eval_partition.txt").write_text(
        "".join(f"{name} {part}\n" for name, part in partition)
    )
    (root / "MAFL/training.txt").write_text("".join(f"{name}\n" for name in mafl))
    (root / "MAFL/testing.txt").write_text("".join(f"{name}\n" for name in test))
    return root
