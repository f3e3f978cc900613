"""What the browser lays is what Python renders: the page's own module, run by node, against `ops/composite.py`."""

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
from motes.ops.rendering.glimpse import corner_and_fraction

PAGE = Path(studio.__file__).parent / "page"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not here to run the page's modules")

LAY = """
import { readFileSync, writeFileSync } from "node:fs"
import { composite, cornerAndFraction } from "PAGE/composite.js"
const told = JSON.parse(readFileSync("told.json")), raw = (name) => readFileSync(name)
const of = (name) => { const bytes = raw(name); return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2) }
const layers = { ...told.layers, glimpses: of("glimpses.bin"), background: of("background.bin") }
told.edits.forEach((particles, n) => writeFileSync(`${n}.rgba`, composite(layers, particles)))
writeFileSync("corners.json", JSON.stringify(told.corners.map(([position, side, size]) => cornerAndFraction(position, side, size))))
"""


@pytest.mark.parametrize(
    "size, side, channels, count",
    [((64, 64), 16, 3, 10), ((128, 128), 32, 3, 30), ((40, 24), 11, 1, 5), ((33, 48), 12, 3, 7)],
)
@pytest.mark.slow
def test_random_edits_are_laid_as_python_lays_them(size, side, channels, count, tmp_path):
    torch.manual_seed(0)
    glimpses, background = torch.rand(count, channels + 1, side, side), torch.rand(channels, *size)
    edits = []
    for n in range(8):
        position = (torch.rand(count, 2) * 2 - 1) * (1 if n < 6 else 1.5)
        position[0] = torch.tensor([(-1.0, 1.0), (0.0, 0.0), (1.5, -1.5)][n % 3])
        presence = torch.rand(count) * torch.randint(0, 2, (count,))
        edits.append((torch.randperm(count), position, presence))
    (tmp_path / "glimpses.bin").write_bytes(fine(glimpses).tobytes())
    (tmp_path / "background.bin").write_bytes(fine(background).tobytes())
    layers = {"count": count, "depth": channels + 1, "side": side, "rows": size[0], "columns": size[1]}
    listed = [
        [{"k": k, "position": position[k].tolist(), "presence": presence[k].item()} for k in order.tolist()]
        for order, position, presence in edits
    ]
    corners = [[value, side, size[0]] for value in edits[0][1][:, 0].tolist()]
    (tmp_path / "told.json").write_text(json.dumps({"layers": layers, "edits": listed, "corners": corners}))
    run(LAY, tmp_path)
    for n, (order, position, presence) in enumerate(edits):
        wanted = (
            render(glimpses[order][None], position[order][None], presence[order][None], background[None])[0]
            * 255
        )
        drawn = np.frombuffer((tmp_path / f"{n}.rgba").read_bytes(), np.uint8).reshape(*size, 4).astype(float)
        assert np.abs(drawn[..., :channels] - wanted.permute(1, 2, 0).numpy()).max() <= 2
        assert (drawn[..., 3] == 255).all()
    corner, fraction = corner_and_fraction(edits[0][1][None], side, size)
    found = json.loads((tmp_path / "corners.json").read_text())
    assert [one + part for one, part in found] == pytest.approx(
        (corner + fraction)[0, :, 0].tolist(), abs=1e-4
    )


EDIT = """
import * as edits from "PAGE/edits.js"
import { fromHash, toHash } from "PAGE/store.js"
import { writeFileSync } from "node:fs"
const opened = { position: [[0, 0], [0.5, 0.5], [-0.5, 0.25]], spread: [[1, 1], [1, 1], [1, 1]], presence: [1, 0.9, 0.8], certainty: [0.9, 0.3, 0.6], features: [[1, 2], [3, 4], [5, 6]] }
let now = edits.moved(opened, edits.NOTHING, [0, 2], [0.1, -0.2])
now = edits.withFeature(now, [1], 0, 9)
const [more, k] = edits.added(opened, now, edits.taken(opened, now, 1), { more: true }, [0.1, 0.1])
const [full, free] = edits.added(opened, now, edits.taken(opened, now, 0), { more: false }, [0, 0])
const front = edits.restacked(opened, more, [1], -1)
const state = { runs: [{ name: "a" }, { name: "b é" }], run: 1, others: [0], beside: [{ run: 0, picture: "held-out/a/2", edits: more, past: [1], future: [] }], picture: "held-out/b/3", edits: front, selection: [1, 3], show: "error", over: { marks: true, masks: true } }
const { hash, back } = { hash: toHash(state), back: fromHash(toHash(state), state.runs) }
writeFileSync("found.json", JSON.stringify({ now, more, k, full, free, front, hash, back, bad: fromHash("#%%%", []), same: edits.lookKey(now) === edits.lookKey(edits.moved(opened, now, [1], [1, 1])),
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
