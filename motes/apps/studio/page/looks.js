// Small pictures of looks (or of codes) at the ends of sliders, drawn by the model a moment after they are asked for.

import { glimpse } from "./composite.js"
import { make, put, rgba } from "./draw.js"
import { keep } from "./kept.js"
import { layersOf } from "./picture.js"

const KEPT = 400
const PAUSE = 150 // milliseconds: who steps through particles asks for none

export class Looks {
  constructor(store, server) {
    Object.assign(this, { store, server, known: new Map(), wanted: [] })
  }

  // Forgets what was asked for and is not drawn yet.
  clear() {
    this.wanted = []
    clearTimeout(this.timer)
  }

  // A canvas that will show the look with these numbers.
  tile(numbers) {
    const { run, runs } = this.store.state, canvas = make("canvas", { class: "look", "aria-hidden": "true" })
    const one = { canvas, numbers: Object.fromEntries(numbers.map((value, n) => [n, Math.round(value * 1e3) / 1e3])) }
    one.key = JSON.stringify([runs[run].name, runs[run].stale, one.numbers])
    if (this.known.has(one.key)) show(canvas, this.known.get(one.key))
    else this.wanted.push(one)
    clearTimeout(this.timer)
    if (this.wanted.length) this.timer = setTimeout(() => this.draw(this.wanted), PAUSE)
    return canvas
  }

  // Many looks are drawn at once, each by another particle of the picture.
  async draw(wanted) {
    const { opened, run, picture, layers } = this.store.state
    const size = opened?.kind === "code" ? 1 : opened?.position?.length
    if (!size || !(layers || opened.kind === "code")) return
    while (wanted.length && wanted === this.wanted && this.store.state.opened === opened) {
      const some = wanted.splice(0, size)
      const pictures = await this.ask({ run, picture }, opened.kind, some).catch(() => [])
      for (const [n, one] of some.entries()) if (pictures[n]) this.keep(one, pictures[n])
    }
  }

  async ask(where, kind, some) {
    if (kind === "code") {
      const { drawn } = await this.server.decodeLater({ ...where, edits: { code: some[0].numbers } })
      return [{ pixels: rgba(drawn), side: drawn.shape[1] }]
    }
    const particles = Object.fromEntries(some.map(({ numbers }, k) => [k, { features: numbers }]))
    const layers = layersOf(await this.server.decodeLater({ ...where, edits: { particles }, layers: true }))
    return some.map((_, k) => ({ pixels: glimpse(layers, k), side: layers.side }))
  }

  keep({ key, canvas }, small) {
    keep(this.known, key, small, KEPT)
    show(canvas, small)
  }
}

const show = (canvas, { pixels, side }) => put(canvas, pixels, side)
