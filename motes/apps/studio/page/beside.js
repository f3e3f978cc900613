// Sheets beside the large picture: the same picture by other runs, and pictures that were put there, each with its own edits.

import { composite } from "./composite.js"
import { make, put, rgba, shape, spoken } from "./draw.js"
import { NOTHING, isNothing, stacked } from "./edits.js"
import { keep } from "./kept.js"
import { drawMarks } from "./marks.js"
import { drawable, layersOf, pixelsOf } from "./picture.js"

export const MOST = 5 // sheets beside the large one
const KEPT = 16 // answers

export class Beside {
  constructor(store, server) {
    Object.assign(this, { store, server, known: new Map(), drawn: [] })
    this.stage = document.getElementById("stage")
    store.listen((now, before) => this.changed(now, before))
  }

  changed(now, before) {
    if (now.renewed !== before.renewed) this.known.clear()
    if (["others", "beside", "run", "picture", "renewed"].some((name) => now[name] !== before[name])) this.lay(now)
    else if (now.sheets !== before.sheets || now.over !== before.over || now.show !== before.show || now.view !== before.view) this.draw(now)
  }

  wanted({ others, beside, run, picture }) {
    const same = others.filter((one) => one !== run).map((one) => ({ run: one, picture, edits: NOTHING, pin: -1 }))
    return picture ? [...same, ...beside.map((one, pin) => ({ ...one, pin }))].slice(0, MOST) : []
  }

  // What is known is laid at once; the rest as it comes.
  lay(state) {
    const sheets = this.wanted(state).map((one) => ({ ...one, key: JSON.stringify([one.run, one.picture, one.edits]) }))
    this.store.set({ sheets: sheets.map((one) => ({ ...one, ...this.known.get(one.key) })) })
    for (const one of sheets) if (!this.known.has(one.key)) this.ask(one)
  }

  async ask({ key, run, picture, edits }) {
    keep(this.known, key, {}, KEPT) // asked once
    this.known.set(key, await this.answer(run, picture, edits))
    const { sheets } = this.store.state
    this.store.set({ sheets: sheets.map((one) => (one.key === key ? { ...one, ...this.known.get(key) } : one)) })
  }

  async answer(run, picture, edits) {
    try {
      const facts = await this.server.ask("open", { run, picture }), [rows, columns] = facts.image.shape
      const opened = { ...facts, rows, columns, pixels: rgba(facts.image) }, layers = layersOf(facts), before = rgba(facts.drawn)
      let drawn = before
      if (!isNothing(edits)) drawn = this.server.live ? rgba((await this.server.decodeLater({ run, picture, edits })).drawn) : layers ? composite(layers, drawable(layers, stacked(opened, edits))) : before
      return { opened, layers, before, drawn }
    } catch ({ message }) {
      return { problem: message || "it could not be drawn" }
    }
  }

  draw(state) {
    const { sheets } = state
    while (this.drawn.length > sheets.length) this.drawn.pop().sheet.remove()
    for (const [n, one] of sheets.entries()) {
      this.drawn[n] ??= this.empty(n)
      this.fill(this.drawn[n], one, state)
    }
  }

  empty(n) {
    const canvas = make("canvas", {}), marks = shape("svg", { class: "marks", "aria-hidden": "true" }), caption = make("span", { class: "caption" }), problem = make("p", {})
    const now = () => this.store.state.sheets[n]
    const take = make("button", { type: "button", class: "take", onclick: () => now().pin >= 0 && this.swap(now().pin) })
    const away = make("button", { type: "button", class: "away", title: "Put away", "aria-label": "Put away", onclick: () => this.away(now()) }, "×")
    const sheet = make("div", { class: "sheet beside" }, make("div", { class: "pane" }, canvas, marks), problem, take, caption, away)
    this.stage.querySelector(".sheets").append(sheet)
    return { sheet, canvas, marks, caption, problem, take }
  }

  fill({ sheet, canvas, marks, caption, problem, take }, one, { runs, over, show, run, view }) {
    caption.textContent = one.pin < 0 ? runs[one.run]?.name : `${spoken(one.picture)}${one.run === run ? "" : `, ${runs[one.run]?.name}`}`
    take.hidden = one.pin < 0
    take.title = take.ariaLabel = `Work on ${caption.textContent}`
    problem.textContent = one.problem || (one.opened ? "" : "…")
    canvas.hidden = !one.opened
    marks.style.display = one.opened ? "" : "none"
    if (!one.opened) return
    Object.assign(sheet.dataset, { rows: one.opened.rows, columns: one.opened.columns })
    put(canvas, pixelsOf(one, show) || one.drawn, one.opened.columns)
    drawMarks(marks, { ...one, over, view, selection: [], held: false })
  }

  swap(number) {
    const pin = this.store.state.beside[number]
    this.store.wish({ run: pin.run, picture: pin.picture, pin })
  }

  away({ pin, run }) {
    const { beside, others } = this.store.state
    this.store.set(pin < 0 ? { others: others.filter((one) => one !== run) } : { beside: beside.filter((_, n) => n !== pin) })
  }
}

// What is being worked on, as it is, to be taken up again.
export const pinned = ({ run, picture, edits, past, future }) => ({ run, picture, edits, past, future })
