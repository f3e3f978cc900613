"""The page shows what a model offers and nothing else, stands alone, and its drawings agree with the particles."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from small import SMALL
from toy_runs import ToyConfig, ToySlots, ToyStripes

from motes.apps.drawing import marks as draw
from motes.apps.drawing import svg
from motes.apps.report.panels import preview
from motes.apps.report.report import steps_done, write_report
from motes.apps.report.summary import verdicts
from motes.data import DATASETS
from motes.data.source import Source
from motes.evaluation import SCORES, Asked, Score, evaluate
from motes.models import MODELS
from motes.models.base import WHOLE_CLIPS
from motes.ops.rendering.footprints import VisibleBoxes
from motes.training.recipe import Recipe
from motes.training.run import Run
from motes.types.latents import Particles
from motes.types.slots import Slots

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def particles(count=3):
    torch.manual_seed(0)
    shapes = {"position": 2, "log_variance": 2, "features": 4, "feature_log_variance": 4}
    numbers = {name: torch.rand(1, count, size) * 2 - 1 for name, size in shapes.items()}
    return Particles(**numbers, presence=torch.ones(1, count), background=torch.zeros(1, 4))


def titles(page):
    return re.findall(r"<h2>(.*?)</h2>", page)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(MODELS))
def test_panels_appear_by_what_the_model_offers(name, tmp_path):
    torch.manual_seed(0)
    size = {"image_size": (32, 40), "channels": 3}
    told = {**SMALL[name], **size}
    if "still" in told:
        told["still"] = {**told["still"], **size}
    model = MODELS[name](MODELS[name].Config(**told)).eval()
    shapes = DATASETS["shapes"]
    run = Run(tmp_path / "<run>")
    run.folder.mkdir()
    run.record({"step": 0, "stage": "main", "total": 2.0, "terms": {"error": 2.0}, "seconds": 1.0})
    run.record({"step": 7, "validation": float("inf"), "terms": {}})
    data = shapes(shapes.Config(image_size=(32, 40), held_out=3), "test")
    page = write_report(
        run, Recipe(name, Source("shapes")), model, data, {"psnr": Score(1.0, 0.5, 1.5)}
    ).read_text()
    expected = {"Originals", "Reconstructions", "Scores", "Curves", "Try next"}
    latent = model.encode(torch.rand(1, 3, 32, 40))
    expected |= {kind.__name__ for kind in (Particles, Slots) if isinstance(latent, kind)}
    for panel, ability in (("Proposals", "proposals"), ("New pictures", "sample"), ("Glimpses", "glimpses")):
        expected |= {panel} if hasattr(model, ability) else set()
    assert set(titles(page)) == expected
    assert "<run>" not in page and "$" not in page.replace("${", ""), (
        "names are escaped, nothing is left to fill in"
    )
    assert not re.search(r"(src|href)=.?(http|//|file)", page), "the page needs nothing from elsewhere"
    assert "<b>steps</b>7" in page
    assert len(list((run.folder / "samples").glob("*.png"))) == 3


def report_of(model, folder, data="shapes", scores=None, **config):
    folder.mkdir()
    held_out = DATASETS[data](DATASETS[data].Config(image_size=(32, 32), **config), "test")
    return write_report(
        Run(folder), Recipe("toy", Source(data)), model.eval(), held_out, scores or {}
    ).read_text()


@pytest.mark.parametrize("model, panels", [(ToyStripes, {"New pictures"}), (ToySlots, {"Slots"})])
def test_a_latent_that_is_neither_particles_nor_a_code_has_the_panels_that_suit_it(model, panels, tmp_path):
    torch.manual_seed(0)
    model = model(ToyConfig())
    page = report_of(model, tmp_path / "run", held_out=3)
    assert set(titles(page)) == {"Originals", "Reconstructions", "Scores", "Curves", "Try next"} | panels
    assert page.count("<figcaption>0</figcaption>") == (3 if panels == {"Slots"} else 0)
    assert preview(model, torch.rand(2, 3, 32, 32)).height == 2 * 128 + 6, "no row of particles"


def test_the_page_begins_with_what_a_person_asks_and_folds_the_rest(tmp_path):
    torch.manual_seed(0)
    model = MODELS["dlp"](MODELS["dlp"].Config(**{**SMALL["dlp"], "image_size": (32, 32), "channels": 3}))
    page = report_of(model, tmp_path / "run", held_out=2)
    main = re.search(r"<main>(.*)</main>", page, re.DOTALL)
    assert main is not None
    start, *folded = main[1].split("<details>")
    parts = [
        "A latent particle is",
        '<ol class="way">',
        "training never saw",
        "drawn again from the particles",
    ]
    places = [start.index(part) for part in [*parts, "<code>motes studio"]]
    assert places == sorted(places)
    assert start.count("<img") == 3, "a picture, its particles, and what is drawn of them"
    assert not titles(start) and {"Scores", "Curves", "Try next"} <= set(titles("".join(folded)))


def score(value):
    return Score(value, value - 0.01, value + 0.01, 100)


def test_three_scores_are_told_in_words_with_how_good_they_are():
    scores = {
        "found_inside_mask": score(0.99),
        "chance_found_inside_mask": score(0.13),
        "found": score(0.5),
        "clean_inside_mask": score(0.12),
        "chance_clean_inside_mask": score(0.13),
        "psnr": score(26.0),
        "ssim": score(0.9),
    }
    told = re.findall("<li>(.*?)</li>", verdicts("particles", scores))
    assert len(told) == 3
    assert "99 %</b> of the things have a particle on them" in told[0] and "excellent" in told[0]
    assert "Chance has 13 %." in told[0]
    assert "no better than chance" in told[1]
    assert "26.0 dB" in told[2] and "softer than the original" in told[2]
    assert verdicts("code", {}) == "" == verdicts("slots", {"psnr": score(float("nan"))})
    assert "have a slot on them" in verdicts("slots", scores)


def test_slots_without_layers_have_no_panel(tmp_path):
    class Layerless(ToySlots):
        def encode(self, image):
            return super().encode(image).restacked([0, 1, 2])._with_parts({})

    page = report_of(Layerless(ToyConfig()), tmp_path / "run", held_out=2)
    assert "Slots" not in titles(page)


@pytest.mark.parametrize("window, handed", [(0, (8, 1)), (3, (6, 3)), (5, (5, 5)), (WHOLE_CLIPS, (5, 5))])
def test_a_model_of_clips_is_shown_whole_clips(window, handed, tmp_path):
    seen = []

    class Clips(ToyStripes):
        def encode_clips(self, image, frames):
            seen.append((len(image), frames))
            return super().encode(image)

    Clips.window = window
    report_of(Clips(ToyConfig()), tmp_path / "run", "balls", frames=5, count=2, held_out=4)
    assert seen == [handed]
    assert len(list((tmp_path / "run" / "samples").glob("*.png"))) == handed[0]


def test_steps_are_counted_from_either_kind_of_line():
    assert steps_done([]) == 0
    assert steps_done([{"step": 0, "total": 1.0}]) == 1
    assert steps_done([{"step": 10, "total": 1.0}, {"step": 15, "validation": 1.0}]) == 15


def test_marks_stand_where_the_particles_are_and_grow_with_confidence():
    some = particles()
    some = replace(some, log_variance=torch.tensor([[[-1.0, -1.0], [-5.0, -5.0], [-3.0, -3.0]]]))
    found = {mark.number: mark for mark in draw.marks(some, 0)}
    for k, mark in found.items():
        assert (mark.row * 2 - 1, mark.column * 2 - 1) == pytest.approx(
            some.position[0, k].tolist(), abs=1e-6
        )
    assert found[1].radius > found[2].radius > found[0].radius


def boxes(box, visible):
    return VisibleBoxes(torch.tensor([box]).float(), torch.tensor([visible]), (32, 64))


def test_boxes_are_drawn_around_what_is_sure_and_visible():
    some = particles().without(1)
    box = [[4, 8, 20, 24], [0, 0, 9, 9], [0, 0, 0, 0]]
    found = {mark.number: mark.box for mark in draw.marks(some, 0, boxes(box, [True, True, False]))}
    assert found == {0: (4 / 32, 8 / 64, 20 / 32, 24 / 64), 1: None, 2: None}
    assert all(mark.box is None for mark in draw.marks(some, 0))
    drawing = svg.rings(draw.marks(some, 0, boxes(box, [True, True, False])), 0, 32, 64)
    assert re.findall(r"<rect[^>]*>", drawing) == [
        '<rect class="box" x="8.00" y="4.00" width="16.00" height="16.00"/>'
    ]


def test_overlays_have_ink_along_the_boxes_edges_and_none_within():
    some = replace(particles(1), position=torch.tensor([[[0.9, 0.9]]]))
    image = torch.zeros(3, 32, 64)
    plain = np.array(draw.with_particles(image, some, 0, 320)).astype(int)
    drawn = np.array(draw.with_particles(image, some, 0, 320, boxes([[4, 8, 20, 24]], [True]))).astype(int)
    changed = np.abs(drawn - plain).sum(2) > 30
    rows, columns = changed.any(1).nonzero()[0], changed.any(0).nonzero()[0]
    zoom = 5
    assert rows[[0, -1]] == pytest.approx(np.array([4, 20]) * zoom, abs=1.01)
    assert columns[[0, -1]] == pytest.approx(np.array([8, 24]) * zoom, abs=1.01)
    assert not changed[5 * zoom : 19 * zoom, 9 * zoom : 23 * zoom].any()


def test_what_is_not_there_is_faint_unnumbered_and_below_the_others():
    gone = particles().without(1)
    found = draw.marks(gone, 0)
    assert found[0].number == 1 and not found[0].sure
    drawing = svg.rings(found, 0, 32, 32)
    assert drawing.count("<text") == 2 and drawing.count("doubted") >= 1


@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 16, 48), (3, 1, 1), (3, 300, 200)])
def test_any_picture_can_be_drawn_on(shape):
    image = torch.rand(shape)
    drawn = draw.with_particles(image, particles(), 0, 256)
    assert drawn.mode == "RGB" and drawn.width * shape[1] == drawn.height * shape[2]
    assert draw.with_points(image, torch.zeros(2, 2)).size == drawn.size


def test_pixels_survive_the_way_into_a_picture():
    image = torch.rand(3, 5, 7)
    picture = draw.to_picture(image)
    back = torch.tensor(list(picture.getdata())).reshape(5, 7, 3).permute(2, 0, 1) / 255
    torch.testing.assert_close(back, image, atol=0.5 / 255 + 1e-6, rtol=0)


def test_a_curve_of_nothing_is_nothing_and_infinities_are_left_out():
    assert svg.curve([], "loss", 10) == "" and svg.curve([(0, float("nan"))], "loss", 10) == ""
    drawing = svg.curve([(0, 2.0), (5, float("inf")), (10, 1.0)], "a<b", 10, [(5, "main")])
    assert (
        drawing.count(",") == 2 + 0
        and "a&lt;b" in drawing
        and "inf" not in drawing
        and "main begins" in drawing
    )


@pytest.mark.parametrize("name", ["dlp", "toy-slots"])
def test_every_score_in_the_table_is_explained(name, tmp_path):
    torch.manual_seed(0)
    model = ToySlots(ToyConfig()) if name == "toy-slots" else MODELS[name](MODELS[name].Config(**SMALL[name]))
    shapes = DATASETS["shapes"]

    def opened(split):
        return shapes(shapes.Config(image_size=(32, 32), count=24, held_out=8), split)

    scores = evaluate(model.eval(), opened("test"), asked=Asked(open=opened, learn_limit=16))
    assert {"psnr", "loss/error" if name == "toy-slots" else "aurc", "ari_fg"} <= scores.keys()
    (tmp_path / "run").mkdir()
    page = write_report(
        Run(tmp_path / "run"), Recipe(name, Source("shapes")), model, opened("test"), scores
    ).read_text()
    cell = "<td class=soft>([^<]*)"
    rows = re.findall(rf"<tr><td>([^<]*)<td class=n>[^<]*{cell}{cell}{cell}", page)
    assert {row[0].replace(" ", "_") for row in rows} | {"psnr_median", "psnr_median_pooled"} | {
        score for score in scores if score.startswith("chance_")
    } == {score.replace(" ", "_") for score in scores}
    assert all(words for *_, words in rows), [row[0] for row in rows if not row[-1]]
    rivals = {row[0]: row[2] for row in rows}
    assert rivals["psnr"] and not rivals["ssim"] and (name != "dlp" or rivals["found inside mask"])
    assert "On 8 shapes" in page and f"<th colspan=5>masks: {SCORES.row('masks').about}" in page


def test_rings_stand_on_what_their_particles_draw_and_dots_on_points_of_the_truth():
    """A particle's -1 and 1 are the picture's edges, a point's the middles of the outermost pixels."""
    rim = replace(particles(), position=torch.tensor([[[-1.0, 1.0], [0.0, 0.0], [0.5, -0.5]]]))
    drawing = svg.rings(draw.marks(rim, 0), 0, 32, 64)
    for x, y in ((64, 0), (32, 16), (16, 24)):
        assert f'cx="{x:.2f}" cy="{y:.2f}"' in drawing
    assert 'cx="63.50" cy="0.50"' in svg.dots([[-1.0, 1.0]], 32, 64)
    picture = np.array(draw.with_points(torch.zeros(3, 8, 16), torch.tensor([[-1.0, 1.0]]), 320)).sum(2)
    rows, columns = np.nonzero(picture > 300)
    assert rows.mean() == pytest.approx(9.5, abs=1) and columns.mean() == pytest.approx(309.5, abs=1)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not here")
def test_the_page_fits_a_phone(tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")
    model = MODELS["dlp"](MODELS["dlp"].Config(**{**SMALL["dlp"], "image_size": (32, 32), "channels": 3}))
    report_of(
        model, tmp_path / ("run" + "x" * 80), held_out=2, scores={"found": score(0.9), "psnr": score(30.0)}
    )
    with playwright.sync_playwright() as control:
        browser = control.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto((tmp_path / ("run" + "x" * 80) / "report.html").as_uri())
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        browser.close()
