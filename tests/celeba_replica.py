"""A folder laid out like CelebA with MAFL, file by file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from motes.data.worlds.faces.faces import Faces, FacesConfig
from motes.ops.points.pixels import pixels_of_points

ROWS = 218
SIDE = 178
TOP = 20
HEADER = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y"


def lay_out(
    root: Path,
    faces: Sequence[np.ndarray],
    points: np.ndarray,
    partition: Sequence[int],
    mafl: tuple[Sequence[int], Sequence[int]],
) -> Path:
    """Points are N 5 2, column and row; `partition` is CelebA's own, `mafl` are its training and its test faces."""
    folders = {part: root / part for part in ("Img/img_align_celeba_hq", "Anno", "Eval", "MAFL")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    for number, face in enumerate(faces):
        Image.fromarray(face).save(folders["Img/img_align_celeba_hq"] / name(number), quality=95)
    lines = [f"{name(n)}  " + "  ".join(map(str, points[n].reshape(-1))) for n in range(len(faces))]
    (root / "Anno/list_landmarks_align_celeba.txt").write_text(
        "\n".join([str(len(faces)), HEADER, *lines]) + "\n"
    )
    (root / "Eval/list_eval_partition.txt").write_text(
        "".join(f"{name(n)} {part}\n" for n, part in enumerate(partition))
    )
    for part, numbers in zip(("training", "testing"), mafl, strict=True):
        (root / f"MAFL/{part}.txt").write_text("".join(f"{name(n)}\n" for n in numbers))
    return root


def name(number: int) -> str:
    return f"{number + 1:06d}.jpg"


def generated_celeba(root: Path, counts: tuple[int, int, int, int]) -> Path:
    """Generated faces; `counts`: to learn from, MAFL's training faces, validation faces, MAFL's test faces."""
    learn, mafl, choose, test = counts
    rows = range(sum(counts))
    faces = Faces(FacesConfig(image_size=(SIDE, SIDE), count=len(rows), held_out=1))
    points = pixels_of_points(faces.truth(rows).points, (SIDE, SIDE)).numpy()[..., ::-1] + (0, TOP)
    whole = np.full((len(rows), ROWS, SIDE, 3), 128, np.uint8)
    whole[:, TOP : TOP + SIDE] = faces.pixels(rows).transpose(0, 2, 3, 1)
    partition = [0] * (learn + mafl) + [1] * choose + [2] * test
    parts = rows[learn : learn + mafl], rows[-test:]
    return lay_out(root, list(whole), points.round().astype(int), partition, parts)
