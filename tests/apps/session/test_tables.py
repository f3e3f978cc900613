"""Tables say where the middle of each particle is and how much of the picture it takes: its visible box or,
without alpha, its window."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from small import SMALL

from motes.apps.bulk.tables import Table
from motes.apps.session.particle_kind import BOX
from motes.apps.session.session import Encoded, Session
from motes.apps.session.tables import rows_of
from motes.models import MODELS
from motes.models.abilities import Encloses


def session_of(name, **more):
    torch.manual_seed(0)
    return Session(MODELS[name](MODELS[name].Config(**{**SMALL[name], **more})))


def encoded(session, count=2):
    image = torch.rand(count, 3, 32, 32)
    return Encoded([Path(f"{n}.png") for n in range(count)], image, session.encode(image))


def rows(session, some):
    return list(rows_of(some, session.boxes(some.latent), session.middles(some.latent)))


@pytest.mark.parametrize("architecture", ["anchored", "sized"])
def test_the_columns_are_the_visible_boxes_and_empty_where_nothing_is_visible(architecture):
    session = session_of("dlp", architecture=architecture)
    some = encoded(session)
    some = replace(some, latent=some.latent.without(1).with_presence(2, 1.0).placed(2, (0.0, 0.0)))
    boxes = session.boxes(some.latent)
    middles = session.middles(some.latent)
    found = rows(session, some)
    assert len(found) == 2 * 4 and all(set(BOX) <= row.keys() for row in found)
    assert [row[name] for name in BOX for row in found[1:2]] == [None] * len(BOX)
    for number, row in enumerate(found):
        picture, particle = divmod(number, 4)
        if boxes.visible[picture, particle]:
            ends = boxes.box[picture, particle].tolist()
            assert [row[name] for name in BOX[:4]] == ends
            assert row["height_px"] == ends[2] - ends[0] and row["width_px"] == ends[3] - ends[1]
            middle = (middles[picture, particle] + 1) * 16 - 0.5
            assert [row["middle_row_px"], row["middle_column_px"]] == pytest.approx(middle.tolist())
            at_position = torch.equal(middles[picture, particle], some.latent.position[picture, particle])
            assert at_position == (architecture == "sized")


def test_where_a_model_has_no_alpha_the_box_is_its_window_and_where_it_has_no_window_there_is_none():
    session = session_of("dlp-masked")
    some = encoded(session)
    some = replace(some, latent=some.latent.placed(0, (0.0, 0.0)))
    assert not isinstance(session.model, Encloses)
    first = rows(session, some)[0]
    assert (first["top_px"], first["left_px"], first["height_px"], first["width_px"]) == (12, 12, 8, 8)
    assert first["middle_row_px"] == 15.5, "between two pixels, as the position 0 is"
    other = session_of("keynet")
    assert other.boxes(encoded(other).latent) is None and not set(BOX) & rows(other, encoded(other))[0].keys()
    codes = session_of("vae")
    assert codes.boxes(encoded(codes).latent) is None


def test_empty_cells_are_written_and_read_back(tmp_path):
    session = session_of("dlp", architecture="sized")
    some = encoded(session)
    table = rows(session, replace(some, latent=some.latent.without(0)))
    with Table(tmp_path / "particles") as files:
        files.add(table[:1])
        files.add(table[1:])
    lines = (tmp_path / "particles.csv").read_text().splitlines()
    assert lines[0].split(",")[:3] == ["picture", "particle", "row"]
    assert lines[0].split(",").index("top_px") < lines[0].split(",").index("feature_0")
    assert ",,,,,,,," in lines[1]
    parquet = pytest.importorskip("pyarrow.parquet")
    back = parquet.read_table(tmp_path / "particles.parquet").to_pylist()
    assert back[0]["height_px"] is None
    assert [row["width_px"] for row in back] == [row["width_px"] for row in table]


def test_resized_particles_have_larger_boxes(tmp_path):
    Image.effect_noise((32, 32), 90).convert("RGB").save(tmp_path / "one.png")
    session = session_of("dlp", architecture="sized")
    some = next(session.encode_files([tmp_path / "one.png"]))
    latent = some.latent.with_presence(0, 1.0).placed(0, (0.0, 0.0)).with_scale(0, (0.8, 0.8))
    small = rows(session, replace(some, latent=latent))[0]
    large = rows(session, replace(some, latent=latent.resized(0, (2.0, 1.0))))[0]
    assert large["height_px"] > 1.5 * small["height_px"]
    assert large["width_px"] == pytest.approx(small["width_px"], abs=1)
