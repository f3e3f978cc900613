// The large picture: its pixels, and the particles drawn over it.

import { cornerAndFraction } from "./composite.js"
import { onTheWay, particles, stacked } from "./edits.js"
import { colour, numbers, put, shape } from "./draw.js"
import { maskPixels, pixelsOf } from "./picture.js"

const NAMES = { before: "before", original: "original", background: "background", error: "error" }

export class Stage {
  constructor(store) {
    this.store = store
    for (const id of ["stage", "canvas", "masks", "marks", "empty", "second", "second-canvas"]) this[id] = document.getElementById(id)
    this.badge = this.stage.querySelector(".sheet").appendChild(Object.assign(document.createElement("span"), { className: "badge", hidden: true }))
    this.lasso = null
    store.listen(() => this.soon())
    new ResizeObserver(() => this.fit()).observe(this.stage)
  }

  // Many changes may come between two frames; one is drawn.
  soon() {
    if (this.asked) return
    this.asked = true
    requestAnimationFrame(() => {
      this.asked = false
      this.draw(this.store.state)
    })
  }

  draw(state) {
    this.empty.hidden = Boolean(state.opened)
    this.canvas.parentElement.hidden = !state.opened
    if (!state.opened) return
    const show = state.held ? "before" : state.show, pixels = pixelsOf(state, show) || state.drawn
    if (pixels) put(this.canvas, pixels, state.opened.columns)
    this.badge.hidden = show === "drawn" && !state.compared
    this.badge.textContent = NAMES[show] || state.runs[state.run].name
    this.drawMasks(state)
    this.drawMarks(state)
    this.drawSecond(state)
    this.fit()
  }

  drawMasks({ opened, edits, layers, over }) {
    this.masks.hidden = !(over.masks && layers) || onTheWay(edits)
    if (!this.masks.hidden) put(this.masks, maskPixels(layers, stacked(opened, edits), numbers), opened.columns)
  }

  drawSecond({ compared, opened, runs, other }) {
    this.second.hidden = !compared
    if (!compared) return
    put(this["second-canvas"], compared.pixels, compared.columns)
    this.second.querySelector(".caption").textContent = runs[other]?.name ?? ""
  }

  drawMarks(state) {
    const { opened, edits, selection, over, layers } = state, { rows, columns } = opened
    this.marks.setAttribute("viewBox", `0 0 ${columns} ${rows}`)
    this.marks.style.setProperty("--u", `${Math.min(rows, columns) / 84}px`)
    const drawn = []
    if (over.proposals) for (const [row, column] of opened.proposals || []) drawn.push(shape("circle", { class: "proposal", ...at(row, column, opened), r: Math.min(rows, columns) / 90 }))
    if (opened.kind === "particles" && !state.held && !onTheWay(edits)) {
      const all = particles(opened, edits).sort((a, b) => shown(a) - shown(b) || selection.includes(a.k) - selection.includes(b.k))
      for (const one of all) drawn.push(...this.drawParticle(one, state, layers))
    }
    if (this.lasso) {
      const [top, left, bottom, right] = this.lasso
      drawn.push(shape("rect", { class: "lasso", x: left, y: top, width: right - left, height: bottom - top }))
    }
    this.marks.replaceChildren(...drawn)
  }

  drawParticle(one, { opened, selection, over, layers }) {
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

  // As large as the stage allows, in whole screen pixels where those are seen.
  fit() {
    const { opened, compared } = this.store.state
    if (!opened) return
    const wide = this.stage.clientWidth - 12 - (compared ? 14 : 0), high = this.stage.clientHeight - 12
    const room = Math.min(wide / (compared ? 2 : 1) / opened.columns, high / opened.rows)
    const step = room < 4 ? devicePixelRatio : 4 * devicePixelRatio // a large pixel may be a line wider than its neighbour
    const zoom = room > 2 ? Math.floor(room * step) / step : room
    for (const sheet of this.stage.querySelectorAll(".sheet")) {
      sheet.style.width = `${opened.columns * zoom}px`
      sheet.style.height = `${opened.rows * zoom}px`
    }
  }

  // Where a pointer is, in picture pixels.
  pixel({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect(), { columns, rows } = this.store.state.opened
    return [((clientY - top) / height) * rows, ((clientX - left) / width) * columns]
  }
}

// A place in [-1, 1] in picture pixels, as glimpses lie: +-1 is the picture's edge.
export function at(row, column, { rows, columns }) {
  return { cx: ((column + 1) / 2) * columns, cy: ((row + 1) / 2) * rows }
}

export const shown = (one) => Number(one.there)

function box({ k, position }, { side, rows, columns }, chosen) {
  const [top, down] = cornerAndFraction(position[0], side, rows), [left, across] = cornerAndFraction(position[1], side, columns)
  return shape("rect", { class: chosen ? "box chosen" : "box", "--c": colour(k), x: left + across, y: top + down, width: side, height: side, rx: 0.6 })
}
