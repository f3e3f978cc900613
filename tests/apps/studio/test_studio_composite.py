"""What the browser lays is what Python renders: the page's own module, run by node, against `ops/rendering`."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from motes.apps import studio
from motes.apps.studio.messages import fine
from motes.ops.rendering.composite import render
from motes.ops.rendering.composite_scaled import render_scaled
from motes.ops.rendering.footprints import Footprints
from motes.ops.rendering.scaled import place_scaled

PAGE = Path(studio.__file__).parent / "page"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not here to run the page's modules")

LAY = """
import { readFileSync, writeFileSync } from "node:fs"
import { composite, visibleBoxes } from "PAGE/composite.js"
const told = JSON.parse(readFileSync("told.json")), raw = (name) => readFileSync(name)
const of = (name) => { const bytes = raw(name); return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2) }
const layers = { ...told.layers, glimpses: of("glimpses.bin"), background: of("background.bin") }
told.edits.forEach((particles, n) => writeFileSync(`${n}.rgba`, composite(layers, particles)))
writeFileSync("boxes.json", JSON.stringify(told.edits.map((particles) => visibleBoxes(layers, particles))))
"""


SIZES = [((64, 64), 16, 3, 10), ((128, 128), 32, 3, 30), ((40, 24), 11, 1, 5), ((33, 48), 12, 3, 7)]


def scene(size, side, channels, count):
    """Layers, and eight times an order of the particles with their places and presences."""
    torch.manual_seed(0)
    glimpses, background = torch.rand(count, channels + 1, side, side), torch.rand(channels, *size)
    edits = []
    for n in range(8):
        position = (torch.rand(count, 2) * 2 - 1) * (1 if n < 6 else 1.5)
        position[0] = torch.tensor([(-1.0, 1.0), (0.0, 0.0), (1.5, -1.5)][n % 3])
        presence = torch.rand(count) * torch.randint(0, 2, (count,))
        edits.append((torch.randperm(count), position, presence))
    return glimpses, background, edits


def laid_by_the_page(folder, glimpses, background, edits, scale=None, middle=None):
    """The pictures, C H W in 0 .. 255, and the boxes that the page gives for these edits."""
    channels, rows, columns = background.shape
    (folder / "glimpses.bin").write_bytes(fine(glimpses).tobytes())
    low, high = background.min().item(), background.max().item()
    (folder / "background.bin").write_bytes(fine((background - low) / (high - low)).tobytes())
    layers = {"count": len(glimpses), "depth": channels + 1, "side": glimpses.shape[-1]}
    layers |= {"rows": rows, "columns": columns, "range": [low, high]}
    if middle is not None:
        layers["middle"] = middle.tolist()
    sizes = [{}] * len(glimpses) if scale is None else [{"scale": one} for one in scale.tolist()]
    listed = [
        [
            {"k": k, "position": position[k].tolist(), "presence": presence[k].item(), **sizes[k]}
            for k in order.tolist()
        ]
        for order, position, presence in edits
    ]
    (folder / "told.json").write_text(json.dumps({"layers": layers, "edits": listed}))
    run(LAY, folder)
    pictures = []
    for n in range(len(edits)):
        drawn = np.frombuffer((folder / f"{n}.rgba").read_bytes(), np.uint8).reshape(rows, columns, 4)
        assert (drawn[..., 3] == 255).all()
        pictures.append(torch.from_numpy(drawn[..., :channels].astype(np.float32)).permute(2, 0, 1))
    return pictures, json.loads((folder / "boxes.json").read_text())


@pytest.mark.parametrize("size, side, channels, count", SIZES)
@pytest.mark.slow
def test_random_edits_are_laid_as_python_lays_them(size, side, channels, count, tmp_path):
    glimpses, background, edits = scene(size, side, channels, count)
    pictures, _ = laid_by_the_page(tmp_path, glimpses, background, edits)
    for drawn, (order, position, presence) in zip(pictures, edits, strict=True):
        layers = (glimpses[order], position[order], presence[order], background)
        wanted = 255 * render(*(layer[None] for layer in layers))[0]
        assert (drawn - wanted).abs().max() <= 2


@pytest.mark.parametrize("size, side, channels, count", SIZES)
@pytest.mark.slow
def test_particles_of_any_size_are_laid_and_enclosed_as_python_does_it(size, side, channels, count, tmp_path):
    glimpses, background, edits = scene(size, side, channels, count)
    background = 1.6 * background - 0.3
    scale = torch.exp(torch.rand(count, 2) * 2.4 - 1.4)
    scale[-1], scale[1] = 9.3, torch.ones(2)
    middle = torch.rand(count, 2) * side / 2 - side / 4
    pictures, boxes = laid_by_the_page(tmp_path, glimpses, background, edits, scale, middle)
    same = every = 0
    for n, (order, position, presence) in enumerate(edits):
        at = (position - middle * scale / (torch.tensor(size) / 2))[order][None]
        layers = (glimpses[order][None], at, scale[order][None], presence[order][None])
        wanted = 255 * render_scaled(*layers, background[None])[0]
        assert (pictures[n] - wanted.clamp(0, 255)).abs().max() <= 2
        seen = Footprints.of(place_scaled(*layers[:3], size), layers[3], size).boxes()
        for box, ends, visible in zip(boxes[n], seen.box[0].tolist(), seen.visible[0].tolist(), strict=True):
            assert (box is not None) == visible
            # a share that is half of the largest to the last bit may fall to either side
            same += box is None or box == ends
            every += 1
    assert same >= 0.95 * every


EDIT = """
import * as edits from "PAGE/edits.js"
import { fromHash, toHash } from "PAGE/links.js"
import { writeFileSync } from "node:fs"
const opened = { position: [[0, 0], [0.5, 0.5], [-0.5, 0.25]], spread: [[1, 1], [1, 1], [1, 1]], presence: [1, 0.9, 0.8], certainty: [0.9, 0.3, 0.6], features: [[1, 2], [3, 4], [5, 6]] }
let now = edits.moved(opened, edits.NOTHING, [0, 2], [0.1, -0.2])
now = edits.withFeature(now, [1], 0, 9)
const [more, k] = edits.added(opened, now, edits.taken(opened, now, 1), { more: true }, [0.1, 0.1])
const [full, free] = edits.added(opened, now, edits.taken(opened, now, 0), { more: false }, [0, 0])
const front = edits.restacked(opened, more, [1], -1)
const of_sizes = { ...opened, scale: [[1, 2], [0.5, 0.5], [3, 1]] }
const sized = edits.resized(of_sizes, edits.resized(of_sizes, now, [0, 2], [2, 0.5]), [0], [1, 0.001])
const [grown, copy] = edits.added(of_sizes, sized, edits.taken(of_sizes, sized, 2), { more: true })
const state = { runs: [{ name: "a" }, { name: "b é" }], run: 1, others: [0], beside: [{ run: 0, picture: "held-out/a/2", edits: more, past: [1], future: [] }], picture: "held-out/b/3", edits: front, selection: [1, 3], show: "error", over: { marks: true, masks: true } }
const { hash, back } = { hash: toHash(state), back: fromHash(toHash(state), state.runs) }
writeFileSync("found.json", JSON.stringify({ now, more, k, full, free, front, hash, back, bad: fromHash("#%%%", []), same: edits.lookKey(now) === edits.lookKey(edits.moved(opened, now, [1], [1, 1])),
  sized, grown, copied: edits.particle(of_sizes, grown, copy), unsized: edits.particle(opened, now, 1).scale, looks: edits.lookKey(sized) === edits.lookKey(now),
  seen: edits.particles(opened, front), hidden: edits.particle(opened, edits.withThreshold(now, 0.5), 1).presence, forgotten: edits.forgotten(opened, front, [0, 1, 2]) }))
"""


def test_the_pages_edits_are_what_python_reads(tmp_path):
    from motes.apps.session.edits import Edits

    run(EDIT, tmp_path)
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["now"]["particles"]["2"] == {"position": [-0.4, 0.05]} and found["now"]["particles"][
        "1"
    ] == {"features": {"0": 9}}
    assert found["k"] == 3 and found["free"] == 1, (
        "no more particles than the model has: the least certain gives way"
    )
    assert Edits.read(found["more"]).particles[3].copy_of == ("", 1)
    assert Edits.read(found["front"]).order[0] == 1 and sorted(found["front"]["order"]) == [0, 1, 2, 3]
    assert found["seen"][3]["features"] == [9, 4] and found["seen"][3]["position"] == [0.6, 0.6]
    assert found["hidden"] == 0, "below the threshold"
    sizes = {k: touch.scale for k, touch in Edits.read(found["sized"]).particles.items()}
    assert sizes == {0: (2, 0.01), 1: None, 2: (6, 0.5)}, "by factors, and no smaller than Python takes"
    assert Edits.read(found["grown"]).particles[3].scale == (6, 0.5) == tuple(found["copied"]["scale"])
    assert found["unsized"] == [1, 1] and "scale" not in found["more"]["particles"]["3"] and found["looks"]
    assert found["same"], "places do not change looks"
    assert found["bad"] is None
    back = found["back"]
    assert back["beside"] == [
        {"run": 0, "picture": "held-out/a/2", "edits": found["more"], "past": [], "future": []}
    ]
    assert (back["run"], back["others"], back["picture"], back["selection"], back["show"]) == (
        1,
        [0],
        "held-out/b/3",
        [1, 3],
        "error",
    )
    assert back["edits"] == found["front"] and back["over"]["masks"] and not back["over"]["boxes"]
    assert found["forgotten"]["particles"].keys() == {"3"}


def run(script, folder):
    shutil.copytree(PAGE, folder / "page")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "run.mjs").write_text(script.replace("PAGE", "./page"))
    done = subprocess.run([NODE, "run.mjs"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
