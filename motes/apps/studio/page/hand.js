// The hand on the picture: choose, drag, draw a box around many. One way for mouse, pen and finger.

import { moved, onTheWay, particle, particles } from "./edits.js"
import { at, boxesOf, shown, sizeOf } from "./marks.js"

const LOOKS = 4 // numbers of a look that are shown beside the pointer
const LONG = 450 // milliseconds that a finger rests to choose one more
const REACH = 22 // screen pixels around a particle in which it is hit

export class Hand {
  constructor(store, stage) {
    Object.assign(this, { store, stage, grip: null })
    this.tip = document.getElementById("tip")
    const area = stage.stage
    area.addEventListener("pointerdown", (event) => this.down(event))
    area.addEventListener("pointermove", (event) => this.move(event))
    area.addEventListener("pointerup", (event) => this.up(event))
    area.addEventListener("pointercancel", (event) => this.up(event))
    store.listen((now, before) => now.opened !== before.opened && this.letGo()) // another picture: nothing is held
    area.addEventListener("pointerleave", () => (this.tip.hidden = true))
  }

  // The nearest particle under the pointer; those that are there before those that are doubted.
  hit(event) {
    const { opened, edits, over, selection } = this.store.state
    if (opened?.kind !== "particles" || onTheWay(edits)) return null
    const [row, column] = this.stage.pixel(event), unit = this.stage.canvas.clientWidth / opened.columns
    let best = null
    for (const one of particles(opened, edits)) {
      if (!over.marks && !selection.includes(one.k)) continue
      const { cx, cy } = at(...one.middle, opened), far = Math.hypot(cy - row, cx - column) * unit
      const cost = far + (shown(one) ? 0 : REACH / 2)
      if (far < REACH && (!best || cost < best.cost)) best = { k: one.k, cost }
    }
    return best && best.k
  }

  down(event) {
    const { state } = this.store
    if (this.grip && event.pointerId !== this.grip.pointer) return this.letGo() // a second finger: what the first one did is done
    if (!state.opened || event.button > 0 || event.target.closest(".beside") || state.opened.kind !== "particles") return
    this.tip.hidden = true
    this.stage.stage.setPointerCapture(event.pointerId)
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
    if (!this.grip) return this.hover(event)
    if (event.pointerId !== this.grip.pointer) return
    const here = this.stage.pixel(event), { start } = this.grip
    if (this.grip.kind === "box") return this.around(start, here)
    const by = [((here[0] - start[0]) * 2) / opened.rows, ((here[1] - start[1]) * 2) / opened.columns]
    const far = Math.hypot(here[0] - start[0], here[1] - start[1]) * (this.stage.canvas.clientWidth / opened.columns)
    if (!this.grip.went && far < 3) return
    this.grip.went = true
    this.tip.hidden = true
    if (!this.store.state.dragging) this.store.set({ dragging: true })
    this.stage.stage.classList.add("dragging")
    this.store.passing(moved(opened, this.grip.since, selection, by))
  }

  up({ pointerId }) {
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
      return shown(one) && cx >= left && cx <= right && cy >= top && cy <= bottom
    })
    this.store.set({ selection: [...new Set([...this.grip.kept, ...inside.map((one) => one.k)])] })
  }

  hover(event) {
    const k = event.pointerType === "touch" || event.target.closest(".beside") ? null : this.hit(event)
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
