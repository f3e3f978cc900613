// The particles as they are drawn over a picture: rings, numbers, boxes, proposals.

import { cornerAndFraction } from "./composite.js"
import { onTheWay, particles } from "./edits.js"
import { colour, shape } from "./draw.js"

// A place in [-1, 1] in picture pixels, as glimpses lie: +-1 is the picture's edge.
export function at(row, column, { rows, columns }) {
  return { cx: ((column + 1) / 2) * columns, cy: ((row + 1) / 2) * rows }
}

// A point of the prior in picture pixels: +-1 is the middle of an outermost pixel.
const between = (row, column, { rows, columns }) => ({ cx: 0.5 + ((column + 1) / 2) * (columns - 1), cy: 0.5 + ((row + 1) / 2) * (rows - 1) })

export const shown = (one) => Number(one.there)

const drawnBefore = new WeakMap() // svg -> what each of its children shows

// Fills an SVG that lies over a picture; `more` are shapes that lie above all. While one particle is dragged the others stay as they are.
export function drawMarks(svg, { opened, edits, selection, over, layers, held }, more = []) {
  const { rows, columns } = opened, small = Math.min(rows, columns), wanted = []
  svg.setAttribute("viewBox", `0 0 ${columns} ${rows}`)
  svg.style.setProperty("--u", `${small / 84}px`)
  if (over.proposals) for (const [row, column] of opened.proposals || []) wanted.push([`proposal ${row} ${column} ${small}`, () => shape("circle", { class: "proposal", ...between(row, column, opened), r: small / 90 })])
  if (opened.kind === "particles" && !held && !onTheWay(edits)) {
    const all = particles(opened, edits).sort((a, b) => shown(a) - shown(b) || selection.includes(a.k) - selection.includes(b.k))
    const around = [over.marks, over.numbers, over.boxes, layers?.side, rows, columns]
    for (const one of all) {
      const { k, position, certainty, there, touched, base } = one
      wanted.push([[k, position, certainty, there, touched && opened.position[k], base, selection.includes(k), around].join(), () => shape("g", {}, ...particle(one, { opened, selection, over, layers }))])
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

function particle(one, { opened, selection, over, layers }) {
  const chosen = selection.includes(one.k), there = shown(one), place = at(...one.position, opened), drawn = []
  const unit = Math.min(opened.rows, opened.columns)
  if (layers && (chosen ? over.boxes || over.marks : over.boxes && there)) drawn.push(box(one, layers, chosen))
  if (chosen && one.touched && one.base === one.k && one.k < opened.position.length) {
    const from = at(...opened.position[one.k], opened)
    drawn.push(shape("line", { class: "trail", x1: from.cx, y1: from.cy, x2: place.cx, y2: place.cy }))
  }
  if (!over.marks && !chosen) return drawn
  const radius = unit * (there ? 0.024 + 0.02 * one.certainty : 0.012)
  const group = shape("g", { class: `mote${there ? "" : " doubted"}${chosen ? " chosen" : ""}`, "--c": colour(one.k), "data-k": one.k },
    shape("circle", { class: "rim", ...place, r: radius }), shape("circle", { class: "dot", ...place, r: radius }))
  if (over.numbers && (there || chosen)) {
    const label = shape("text", { x: Math.min(place.cx + radius * 0.9, opened.columns - unit * 0.055), y: Math.max(place.cy - radius, unit * 0.05) })
    label.textContent = one.k
    group.append(label)
  }
  return [...drawn, group]
}

function box({ k, position }, { side, rows, columns }, chosen) {
  const [top, down] = cornerAndFraction(position[0], side, rows), [left, across] = cornerAndFraction(position[1], side, columns)
  return shape("rect", { class: chosen ? "box chosen" : "box", "--c": colour(k), x: left + across, y: top + down, width: side, height: side, rx: 0.6 })
}
