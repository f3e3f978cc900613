// Where a film is seen: its frames over the open picture, the ways of its things, and beside it what is expected to come.

import { colour, make, put } from "../draw.js"
import { particles } from "../edits.js"
import { at } from "../marks.js"
import { called, pairs, thingOf } from "./names.js"
import { blank, drawTrails, drawWays } from "./trails.js"

const NEAR = 0.2 // of the picture's side

export class Screen {
  constructor(store, stage, player) {
    Object.assign(this, { store, stage, player })
    const [sheet] = stage.stage.getElementsByClassName("sheet"), pane = sheet.querySelector(".pane")
    this.film = make("canvas", { id: "film", hidden: true })
    this.ways = make("canvas", { class: "ways", id: "ways", hidden: true })
    document.getElementById("marks").before(this.film, this.ways)
    this.caption = make("span", { class: "caption", hidden: true }, "what came")
    sheet.append(this.caption)
    this.next = this.besides(pane)
    player.listen(() => this.draw())
    store.listen(() => this.soon())
    new ResizeObserver(() => this.soon()).observe(sheet)
  }

  besides() {
    const canvas = make("canvas", {}), ways = make("canvas", { class: "ways" }), caption = make("span", { class: "caption" })
    const away = make("button", { type: "button", class: "away", title: "Back to the film", "aria-label": "Back to the film", onclick: () => this.store.set({ outlook: null }) }, "×")
    return { sheet: make("div", { class: "sheet beside future" }, make("div", { class: "pane" }, canvas, ways), caption, away), canvas, ways, caption }
  }

  soon() {
    if (this.asked) return
    this.asked = true
    requestAnimationFrame(() => {
      this.asked = false
      this.draw()
    })
  }

  draw() {
    const { state } = this.store, { player } = this, { outlook, opened } = state
    const seen = player.over && Boolean(player.film) && Boolean(opened)
    this.stage.stage.classList.toggle("filming", seen)
    this.film.hidden = !seen
    if (seen) this.drawFrame(state)
    this.caption.hidden = !(seen && outlook)
    this.caption.textContent = outlook?.mode === "over" ? "expected, over what came" : player.frame < (player.film?.count ?? 0) ? "what came" : "the film ends here"
    this.drawWays(state, seen)
    this.drawNext(state)
  }

  // Frames that are not there yet leave the one before.
  drawFrame({ outlook, opened }) {
    const { player } = this, truth = player.ring.get(Math.min(player.frame, player.film.count - 1))
    if (truth) put(this.film, truth, opened.columns)
    const expected = outlook?.mode === "over" && this.expected(outlook)
    if (expected) this.blend(expected, truth, opened)
  }

  blend(expected, truth, { columns }) {
    const half = new Uint8ClampedArray(expected)
    if (truth) for (let at = 0; at < half.length; at++) half[at] = (expected[at] + truth[at]) / 2
    put(this.film, half, columns)
  }

  // The picture that is expected now; at the start it is the edited one.
  expected({ frame, answer }) {
    return this.player.frame === frame ? this.store.state.drawn : answer?.pictures[this.player.frame - frame - 1]
  }

  drawWays(state, seen) {
    const { tracks, over, outlook, thing, opened, view } = state, followed = tracks?.things.length && over.tracks && opened && this.player.film
    const wanted = followed || (outlook?.answer && outlook.mode === "over")
    this.ways.hidden = !wanted
    const sheet = wanted && blank(this.ways, { ...opened, ...view })
    if (!sheet) return
    const frame = Math.min(this.player.frame, this.player.film.count - 1)
    if (followed) drawTrails(sheet, tracks.things, frame, { chosen: thing, ringed: this.ringed(state, seen), labels: over.numbers })
    if (outlook?.answer && outlook.mode === "over") this.drawExpected(sheet, outlook)
  }

  // The things that need a ring here: all in a film, and over an open picture those that no particle marks.
  ringed(state, seen) {
    if (!state.over.marks) return () => false
    const marked = seen ? new Set() : new Set(thingOf(state)?.values())
    return (number) => !marked.has(number)
  }

  drawExpected(sheet, { frame, steps, answer, plain }) {
    const step = this.player.frame === frame ? steps : this.player.frame - frame, tones = this.tonesOf(answer)
    for (const sample of answer.samples) drawWays(sheet, [answer.things[0], ...sample], step, { tones, faint: true })
    if (plain && plain !== answer) drawWays(sheet, plain.things, step, { dashed: true })
    drawWays(sheet, answer.things, step, { tones })
  }

  // A predicted thing has the colour of the particle that it starts from.
  tonesOf({ things: [start] }) {
    const { state } = this.store, { opened, edits } = state
    const there = particles(opened, edits).filter((one) => one.there).map((one) => ({ k: one.k, ...at(...one.middle, opened) }))
    const from = pairs(there, start, NEAR * Math.max(opened.rows, opened.columns)), tones = new Map(start.map(([slot]) => [slot, colour(slot)]))
    for (const [k, slot] of from) tones.set(slot, called(state, k).tone)
    return tones
  }

  drawNext({ outlook, opened, view }) {
    const { sheet, canvas, ways, caption } = this.next, wanted = outlook?.answer && outlook.mode === "beside" && opened
    if (!wanted) return sheet.remove()
    if (!sheet.isConnected) {
      this.stage.stage.querySelector(".sheets").append(sheet)
      this.stage.fit()
    }
    const pixels = this.expected(outlook)
    if (pixels) put(canvas, pixels, opened.columns)
    caption.textContent = outlook.plain && outlook.plain !== outlook.answer ? "expected after the edit" : "expected"
    const drawing = blank(ways, { ...opened, ...view })
    if (drawing) this.drawExpected(drawing, outlook)
  }
}
