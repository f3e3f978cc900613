// The large picture, which the hand is on, and how all sheets share the room.

import { onTheWay, stacked } from "./edits.js"
import { numbers, put, shape } from "./draw.js"
import { drawMarks } from "./marks.js"
import { maskPixels, pixelsOf } from "./picture.js"
import { truthMarks } from "./truth.js"
import { transformOf } from "./view.js"

const NAMES = { before: "before", original: "original", background: "background", error: "error" }
const EMPTY = "Choose a picture on the left, drop one anywhere, or paste one."
const GAP = 14, EDGE = 12 // screen pixels between sheets, and around them all

export class Stage {
  constructor(store) {
    this.store = store
    for (const id of ["stage", "canvas", "masks", "marks", "empty"]) this[id] = document.getElementById(id)
    this.badge = this.stage.querySelector(".sheet").appendChild(Object.assign(document.createElement("span"), { className: "badge", hidden: true }))
    this.lasso = null
    store.listen(() => this.soon())
    new ResizeObserver(() => this.soon()).observe(this.stage)
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
    this.drawOpening(state)
    this.canvas.closest(".sheet").hidden = !state.opened
    if (!state.opened) return
    const show = state.held ? "before" : state.show, pixels = pixelsOf(state, show) || state.drawn
    if (pixels) put(this.canvas, pixels, state.opened.columns)
    this.badge.hidden = show === "drawn" && !state.sheets.length
    this.badge.textContent = NAMES[show] || state.runs[state.run].name
    this.fit()
    this.drawMasks(state)
    this.stage.classList.toggle("moving", state.since !== null)
    drawMarks(this.marks, state, [...truthMarks(state), ...(this.lasso ? [lassoOf(this.lasso)] : [])])
  }

  // While another run opens, which may take long, the picture of the one before is not to be seen.
  drawOpening({ opened, opening, run, runs }) {
    const other = opening && opening.run !== (opened?.run ?? run)
    this.stage.classList.toggle("opening", Boolean(other))
    this.empty.hidden = Boolean(opened) && !other
    this.empty.textContent = opening ? `${runs[opening.run]?.name} opens …` : runs[run] && !runs[run].ready ? "This run has no model yet; see its curves under Watch." : EMPTY
  }

  drawMasks({ opened, edits, layers, over }) {
    this.masks.hidden = !(over.masks && layers) || onTheWay(edits)
    if (!this.masks.hidden) put(this.masks, maskPixels(layers, stacked(opened, edits), numbers), opened.columns)
  }

  // As large as the stage allows, in whole screen pixels where those are seen.
  fit() {
    const { opened, sheets, view, outlook } = this.store.state
    if (!opened) return
    const { across, room } = roomOf(this.stage.clientWidth - EDGE, this.stage.clientHeight - EDGE, 1 + sheets.length + Number(Boolean(outlook?.answer && outlook.mode === "beside")), opened)
    const step = room < 4 ? devicePixelRatio : 4 * devicePixelRatio // a large pixel may be a line wider than its neighbour
    const zoom = room > 2 ? Math.floor(room * step) / step : room
    this.stage.querySelector(".sheets").style.maxWidth = `${across * (opened.columns * zoom + GAP) - GAP + 1}px`
    for (const sheet of this.stage.querySelectorAll(".sheet")) {
      const columns = Number(sheet.dataset.columns || opened.columns), rows = Number(sheet.dataset.rows || opened.rows)
      const share = Math.min(opened.columns / columns, opened.rows / rows) // another size of picture has the same room
      sheet.style.width = `${columns * zoom * share}px`
      sheet.style.height = `${rows * zoom * share}px`
      sheet.querySelector(".pane").style.transform = transformOf(view)
    }
  }

  // Screen pixels of a pixel of the picture.
  unit() {
    return this.canvas.getBoundingClientRect().width / this.store.state.opened.columns
  }

  // Where a pointer is, in picture pixels.
  pixel({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect(), { columns, rows } = this.store.state.opened
    return [((clientY - top) / height) * rows, ((clientX - left) / width) * columns]
  }
}

// Screen pixels for a picture's pixel, where `count` sheets lie in the number of columns that gives most.
function roomOf(wide, high, count, { rows, columns }) {
  const ways = Array.from({ length: count }, (_, n) => {
    const across = n + 1, down = Math.ceil(count / across)
    return { across, room: Math.min((wide - GAP * (across - 1)) / across / columns, (high - GAP * (down - 1)) / down / rows) }
  })
  return ways.reduce((best, one) => (one.room > best.room ? one : best))
}

const lassoOf = ([top, left, bottom, right]) => shape("rect", { class: "lasso", x: left, y: top, width: right - left, height: bottom - top })
