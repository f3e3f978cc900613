// The particles as they are drawn over a picture: rings, numbers, boxes, proposals.

import { visibleBoxes } from "./composite.js"
import { NOTHING, onTheWay, particle, particles, stacked } from "./edits.js"
import { shape } from "./draw.js"
import { drawable } from "./picture.js"
import { called } from "./video/names.js"
import { WHOLE } from "./view.js"

// A place in [-1, 1] in picture pixels, as glimpses lie: +-1 is the picture's edge.
export function at(row, column, { rows, columns }) {
  return { cx: ((column + 1) / 2) * columns, cy: ((row + 1) / 2) * rows }
}

// A point of the prior in picture pixels: +-1 is the middle of an outermost pixel.
const between = (row, column, { rows, columns }) => ({ cx: 0.5 + ((column + 1) / 2) * (columns - 1), cy: 0.5 + ((row + 1) / 2) * (rows - 1) })

export const shown = (one) => Number(one.there)

// Doubted particles are seen where they are switched on.
export const isSeen = (one, { over }) => one.there || over.doubted

const boxesBefore = new WeakMap() // layers -> the last edits, and the boxes after them

// By a particle's number: around what is visible of it, [first row, first column, row after the last, column after the last], or null.
// Of a model that draws no layers it is the particle's window, if it has one.
export function boxesOf({ opened, edits, layers }) {
  if (!layers) return new Map(particles(opened, edits).map((one) => [one.k, opened.window ? windowBox(one, opened) : null]))
  const before = boxesBefore.get(layers)
  if (before?.edits === edits) return before.boxes
  const all = stacked(opened, edits), found = visibleBoxes(layers, drawable(layers, all))
  const boxes = new Map(all.map((one, n) => [one.k, found[n]]))
  boxesBefore.set(layers, { edits, boxes })
  return boxes
}

function windowBox({ position }, { window, rows, columns }) {
  const [top, left] = [rows, columns].map((size, axis) => ((position[axis] + 1) / 2) * size - window / 2)
  return [Math.max(top, 0), Math.max(left, 0), Math.min(top + window, rows), Math.min(left + window, columns)]
}

export const sizeOf = ([top, left, bottom, right]) => `${Math.round(bottom - top)} × ${Math.round(right - left)} px`

const drawnBefore = new WeakMap() // svg -> what each of its children shows

// Fills an SVG that lies over a picture; `more` are shapes that lie above all. While one particle is dragged the others stay as they are.
export function drawMarks(svg, state, more = []) {
  const { opened, edits, selection, over, layers, held, view = WHOLE } = state
  const { rows, columns } = opened, wanted = []
  const unit = columns / (svg.clientWidth || 500) / view.zoom // of a screen pixel, in pixels of the picture
  svg.setAttribute("viewBox", `0 0 ${columns} ${rows}`)
  svg.style.setProperty("--u", `${unit}px`)
  if (over.proposals) for (const [row, column] of opened.proposals || []) wanted.push([`proposal ${row} ${column} ${unit}`, () => shape("circle", { class: "proposal", ...between(row, column, opened), r: 3 * unit })])
  if (opened.kind === "particles" && !held && !onTheWay(edits)) {
    const all = particles(opened, edits).filter((one) => isSeen(one, { over }) || selection.includes(one.k)).sort((a, b) => shown(a) - shown(b) || selection.includes(a.k) - selection.includes(b.k))
    const around = [over.marks, over.numbers, over.boxes, rows, columns, unit]
    const boxes = layers && (over.boxes || (over.marks && selection.length)) ? boxesOf({ opened, edits, layers }) : new Map()
    for (const one of all) {
      const { k, middle, certainty, there, touched, base } = one, box = boxes.get(k), { name, tone } = called(state, k)
      wanted.push([[k, name, tone, middle, certainty, there, touched && opened.position[k], base, selection.includes(k), box, around].join(), () => shape("g", {}, ...mark(one, { opened, selection, over, box, unit, name, tone }))])
    }
  }
  for (const one of more) wanted.push(["", () => one])
  refill(svg, wanted)
}

// wanted: [what it shows, how it is made]; "" is made anew each time.
function refill(svg, wanted) {
  const before = drawnBefore.get(svg) || []
  drawnBefore.set(svg, wanted.map(([name]) => name))
  if (before.length !== wanted.length || before.length !== svg.childNodes.length) return svg.replaceChildren(...wanted.map(([, make]) => make()))
  for (const [n, [name, make]] of wanted.entries()) if (!name || before[n] !== name) svg.childNodes[n].replaceWith(make())
}

function mark(one, { opened, selection, over, box, unit, name, tone }) {
  const chosen = selection.includes(one.k), there = shown(one), place = at(...one.middle, opened), drawn = []
  if (box && (chosen ? over.boxes || over.marks : over.boxes && there)) drawn.push(outline(tone, box, chosen))
  if (chosen && one.touched && one.base === one.k && one.k < opened.position.length) {
    const from = at(...particle(opened, NOTHING, one.k).middle, opened)
    drawn.push(shape("line", { class: "trail", x1: from.cx, y1: from.cy, x2: place.cx, y2: place.cy }))
  }
  if (!over.marks && !chosen) return drawn
  const radius = unit * (there ? 5 + 4 * one.certainty : 4)
  const group = shape("g", { class: `mote${there ? "" : " doubted"}${chosen ? " chosen" : ""}`, "--c": tone, "data-k": one.k },
    shape("circle", { class: "rim", ...place, r: radius }), shape("circle", { class: "dot", ...place, r: radius }))
  if (over.numbers && (there || chosen)) {
    const label = shape("text", { x: Math.min(place.cx + radius * 0.9, opened.columns - unit * 12), y: Math.max(place.cy - radius, unit * 12) })
    label.textContent = name
    group.append(label)
  }
  return [...drawn, group]
}

function outline(tone, [top, left, bottom, right], chosen) {
  return shape("rect", { class: chosen ? "box chosen" : "box", "--c": tone, x: left, y: top, width: right - left, height: bottom - top, rx: 0.3 })
}
