// Which pixels are shown: laid in the browser while a hand moves, from the model when it rests.

import { NOTHING, lookKey, onTheWay, stacked } from "./edits.js"
import { composite, lay, over } from "./composite.js"
import { error, rgba } from "./draw.js"

export function layersOf(facts) {
  if (!facts.glimpses) return null
  const [count, depth, side] = facts.glimpses.shape, [, rows, columns] = facts.background.shape
  return { glimpses: facts.glimpses.data, background: facts.background.data, middle: facts.middle, range: facts.range, count, depth, side, rows, columns }
}

// A copy that the model has not drawn yet looks like its origin.
export const drawable = (layers, particles) => particles.map((one) => (one.k < layers.count ? one : { ...one, k: one.base, of: one.k }))

// Keeps `drawn` up to date with `edits`: at once where there are layers, then exactly.
export class Developer {
  constructor(store, server) {
    this.store = store
    this.server = server
    this.looks = lookKey(NOTHING)
    store.listen((now, before) => this.changed(now, before))
  }

  changed(now, before) {
    if (now.opened !== before.opened) {
      this.looks = lookKey(NOTHING)
      if (now.opened && now.edits !== NOTHING) this.develop(now)
    } else if (now.opened && (now.edits !== before.edits || (before.dragging && !now.dragging))) this.develop(now)
  }

  develop({ opened, edits, layers, dragging }) {
    const same = lookKey(edits) === this.looks, laid = layers && !onTheWay(edits)
    if (!(laid && dragging && same)) this.ask(opened, edits, Boolean(laid) && !same) // first: the server draws while the page does
    if (laid && (this.edits !== edits || this.layers !== layers)) this.lay(opened, edits, layers)
    else if (this.store.state.exact) this.store.set({ exact: false })
  }

  lay(opened, edits, layers) {
    Object.assign(this, { edits, layers })
    this.store.set({ drawn: composite(layers, drawable(layers, stacked(opened, edits))), exact: false })
  }

  ask({ run, picture }, edits, layers) {
    const { opened, runs } = this.store.state
    if (runs[run]?.gone) return // what the page lays stands
    this.server.decode(
      { run, picture, edits, layers },
      (facts, question) => this.developed(facts, question, opened),
      (problem) => problem.message && this.store.say(problem.message),
    )
  }

  developed(facts, { edits }, opened) {
    const { state } = this.store
    if (state.opened !== opened) return
    const change = {}
    if (facts.glimpses) {
      change.layers = layersOf(facts)
      this.looks = lookKey(edits)
    }
    const newest = edits === state.edits
    if (newest || !state.layers || onTheWay(state.edits)) Object.assign(change, { drawn: rgba(facts.drawn), exact: newest })
    this.store.set(change)
  }
}

// The pixels of one of SHOWS.
export function pixelsOf(state, show) {
  const { opened, layers, drawn, before } = state
  if (show === "original") return opened.pixels
  if (show === "before") return before
  if (show === "error") return drawn && error(drawn, opened.pixels)
  if (show === "background") return layers && over(layers, lay(layers, []))
  return drawn
}

// A colour for the particle that has most of a pixel, clear where none has.
export function maskPixels(layers, particles, numbers) {
  const { owner } = lay(layers, particles, true), pixels = new Uint8ClampedArray(owner.length * 4)
  for (let at = 0; at < owner.length; at++) {
    if (owner[at] < 0) continue
    const [r, g, b] = numbers(owner[at])
    pixels.set([r, g, b, 255], at * 4)
  }
  return pixels
}
