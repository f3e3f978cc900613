// The hand on the picture: choose, drag, draw a box around many. One way for mouse, pen and finger.

import { moved, particle, particles } from "./edits.js"
import { hitAt } from "./hit.js"
import { at, boxesOf, isSeen, sizeOf } from "./marks.js"
import { panned, zoomed } from "./view.js"

const LOOKS = 4 // numbers of a look that are shown beside the pointer
const LONG = 450 // milliseconds that a finger rests to choose one more
const WHEEL = 0.002 // how much larger for a pixel of the wheel's turn

export class Hand {
  constructor(store, stage) {
    Object.assign(this, { store, stage, grip: null, fingers: new Map(), spread: null })
    this.tip = document.getElementById("tip")
    const area = stage.stage
    area.addEventListener("pointerdown", (event) => this.down(event))
    area.addEventListener("pointermove", (event) => this.move(event))
    area.addEventListener("pointerup", (event) => this.up(event))
    area.addEventListener("pointercancel", (event) => this.up(event))
    store.listen((now, before) => now.opened !== before.opened && this.letGo()) // another picture: nothing is held
    area.addEventListener("wheel", (event) => this.wheel(event), { passive: false })
    area.addEventListener("pointerleave", () => (this.tip.hidden = true))
  }

  hit(event) {
    return hitAt(this.store.state, this.stage.pixel(event), this.stage.unit())
  }

  down(event) {
    const { state } = this.store
    if (!state.opened || event.target.closest(".beside") || event.button > 1) return
    this.tip.hidden = true
    this.stage.stage.setPointerCapture(event.pointerId)
    this.fingers.set(event.pointerId, event)
    if (this.fingers.size > 1 || event.button === 1 || event.altKey) {
      this.letGo() // a second finger: what the first one did is done, and the two move the picture
      this.spread = this.spreadOf()
      return
    }
    if (state.opened.kind !== "particles") return
    const k = this.hit(event), start = this.stage.pixel(event), many = event.shiftKey || event.ctrlKey || event.metaKey
    if (k === null) {
      this.grip = { kind: "box", pointer: event.pointerId, start, kept: many ? state.selection : [] }
      this.store.set({ selection: this.grip.kept })
      return
    }
    const among = state.selection.includes(k)
    const selection = many ? (among ? state.selection.filter((one) => one !== k) : [...state.selection, k]) : among ? state.selection : [k]
    this.grip = { kind: "drag", pointer: event.pointerId, start, since: state.edits, k, alone: among && !many, went: false }
    if (event.pointerType === "touch" && !many) this.rest(k, state.selection, among)
    this.store.set({ selection })
  }

  // A finger has no Shift: where it rests on a particle, that one is chosen as well, or no more.
  rest(k, before, among) {
    const { grip } = this
    setTimeout(() => {
      if (this.grip !== grip || grip.went) return
      grip.alone = false
      navigator.vibrate?.(12)
      this.store.set({ selection: among ? before.filter((one) => one !== k) : [...before, k] })
    }, LONG)
  }

  move(event) {
    const { opened, selection } = this.store.state
    if (!opened) return
    if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, event)
    if (this.spread) return this.moveView()
    if (!this.grip) return this.hover(event)
    if (event.pointerId !== this.grip.pointer) return
    const here = this.stage.pixel(event), { start } = this.grip
    if (this.grip.kind === "box") return this.around(start, here)
    const by = [((here[0] - start[0]) * 2) / opened.rows, ((here[1] - start[1]) * 2) / opened.columns]
    const far = Math.hypot(here[0] - start[0], here[1] - start[1]) * this.stage.unit()
    if (!this.grip.went && far < 3) return
    this.grip.went = true
    this.tip.hidden = true
    if (!this.store.state.dragging) this.store.set({ dragging: true })
    this.stage.stage.classList.add("dragging")
    this.store.passing(moved(opened, this.grip.since, selection, by))
  }

  // Of the fingers on the picture (or the middle button): their middle, in screen pixels, and how far they are apart.
  spreadOf() {
    const [one, other = one] = [...this.fingers.values()]
    return { x: (one.clientX + other.clientX) / 2, y: (one.clientY + other.clientY) / 2, far: Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) }
  }

  moveView() {
    const before = this.spread, now = (this.spread = this.spreadOf()), { clientWidth, clientHeight } = this.stage.canvas
    const view = panned(this.store.state.view, [(before.y - now.y) / clientHeight, (before.x - now.x) / clientWidth])
    this.store.set({ view: before.far && now.far ? zoomed(view, now.far / before.far, this.share({ clientX: now.x, clientY: now.y }, view)) : view })
  }

  wheel(event) {
    if (!this.store.state.opened) return
    event.preventDefault()
    const pixels = event.deltaY * [1, 16, 400][event.deltaMode] * (event.ctrlKey ? 4 : 1) // a pinch on a pad turns little
    const { view } = this.store.state
    this.store.set({ view: zoomed(view, Math.exp(-pixels * WHEEL), this.share(event, view)) })
  }

  // Where a pointer is, as shares of the picture.
  share({ clientX, clientY }, { zoom, row, column }) {
    const { left, top, width, height } = this.stage.canvas.closest(".sheet").getBoundingClientRect()
    return [row + ((clientY - top) / height - 0.5) / zoom, column + ((clientX - left) / width - 0.5) / zoom]
  }

  up({ pointerId }) {
    this.fingers.delete(pointerId)
    if (this.spread) this.spread = this.fingers.size ? this.spreadOf() : null
    if (this.grip?.pointer === pointerId) this.letGo()
  }

  letGo() {
    const { grip } = this
    this.grip = null
    if (!grip) return
    this.stage.stage.classList.remove("dragging")
    if (grip.kind === "box") {
      this.stage.lasso = null
      this.stage.soon()
    } else if (grip.went) {
      this.store.rest()
    } else if (grip.alone) this.store.set({ selection: [grip.k] })
  }

  around([startRow, startColumn], [row, column]) {
    const { opened, edits } = this.store.state
    const [top, bottom] = [Math.min(startRow, row), Math.max(startRow, row)], [left, right] = [Math.min(startColumn, column), Math.max(startColumn, column)]
    this.stage.lasso = [top, left, bottom, right]
    const inside = particles(opened, edits).filter((one) => {
      const { cx, cy } = at(...one.middle, opened)
      return isSeen(one, this.store.state) && cx >= left && cx <= right && cy >= top && cy <= bottom
    })
    this.store.set({ selection: [...new Set([...this.grip.kept, ...inside.map((one) => one.k)])] })
  }

  hover(event) {
    const k = event.pointerType === "touch" || event.target.closest(".beside") ? null : this.hit(event)
    this.stage.stage.classList.toggle("graspable", k !== null)
    this.tip.hidden = k === null || this.store.state.selection.includes(k) // of what is chosen all numbers stand at the side
    if (this.tip.hidden) return
    const { opened, edits } = this.store.state, one = particle(opened, edits, k), box = boxesOf(this.store.state).get(k), frame = this.stage.stage.getBoundingClientRect()
    const [rowSpread, columnSpread] = one.spread.map((spread, axis) => (spread / 2) * [opened.rows, opened.columns][axis])
    this.tip.textContent = [
      `particle ${k}`,
      `place     ${one.position.map((value) => value.toFixed(3)).join(", ")}`,
      `spread    ±${rowSpread.toFixed(2)}, ±${columnSpread.toFixed(2)} px`,
      ...(box ? [`box       ${sizeOf(box)}`] : []),
      `presence  ${one.presence.toFixed(2)}`,
      `certainty ${one.certainty.toFixed(2)}`,
      ...(one.features.length ? [`look      ${one.features.slice(0, LOOKS).map((value) => value.toFixed(2)).join(" ")}${one.features.length > LOOKS ? " …" : ""}`] : []),
    ].join("\n")
    const x = event.clientX - frame.left, y = event.clientY - frame.top
    this.tip.style.left = `${Math.max(Math.min(x + 16, frame.width - this.tip.offsetWidth - 4), 4)}px`
    this.tip.style.top = `${Math.max(Math.min(y + 16, frame.height - this.tip.offsetHeight - 4), 4)}px`
  }
}
