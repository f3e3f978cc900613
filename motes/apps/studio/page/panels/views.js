// The row below the picture: the edited one, as it was, the original, background and error; and what is drawn over it.

import { make, put } from "../draw.js"
import { withThreshold } from "../edits.js"
import { pixelsOf } from "../picture.js"
import { roving } from "../roving.js"
import { SHOWS } from "../store.js"
import { hasTruth } from "../truth.js"

const NAMES = { drawn: "edited", before: "before", original: "original", background: "background", error: "error" }
const OVER = { marks: "Particles", numbers: "Numbers", doubted: "Doubted", boxes: "Boxes", masks: "Masks", proposals: "Proposals", truth: "Truth", tracks: "Trails" }

export function panel(store, server, actions) {
  const place = document.getElementById("views"), tiles = {}
  for (const [n, show] of SHOWS.entries()) {
    const canvas = make("canvas", {})
    tiles[show] = { canvas, button: make("button", { type: "button", role: "radio", title: `Show ${NAMES[show]} (${n + 1})`, onclick: () => store.set({ show }) }, canvas, NAMES[show]) }
    place.append(tiles[show].button)
  }
  const mark = roving(place, { choosing: true })
  let asked = false
  function draw() {
    asked = false
    const { state } = store
    place.hidden = !state.opened
    if (!state.opened) return
    for (const show of SHOWS) {
      const tile = tiles[show], source = { original: state.opened, before: state.before, background: state.layers }[show] ?? state.drawn
      tile.button.classList.toggle("on", state.show === show)
      tile.button.setAttribute("aria-checked", String(state.show === show))
      if (tile.source === source || (show === "error" && state.dragging)) continue
      const pixels = show === "background" && !state.layers ? null : pixelsOf(state, show)
      tile.source = source
      tile.button.hidden = !pixels
      if (pixels) put(tile.canvas, pixels, state.opened.columns)
    }
    mark()
  }
  store.listen(() => {
    if (!asked) requestAnimationFrame(draw)
    asked = true
  })
  overlays(store, actions)
}

function overlays(store, actions) {
  const place = document.getElementById("overlays")
  const buttons = Object.entries(OVER).map(([name, title]) => [name, make("button", { type: "button", title: `${title} (${actions[name].key.toUpperCase()})`, onclick: () => actions[name].does() }, title)])
  const output = make("output", {})
  const slider = make("input", { type: "range", min: "0", max: "1", step: "0.01", value: "0", id: "threshold" })
  slider.addEventListener("input", () => {
    store.passing(withThreshold(store.state.edits, Number(slider.value)))
  })
  slider.addEventListener("change", () => store.rest())
  const least = make("label", { title: "Particles less certain than this are left out" }, "Least certainty", slider, output)
  const beside = make("button", { type: "button", id: "beside", title: "Put this beside, and go on with another picture (K)", onclick: () => actions.beside.does() }, "+ Beside")
  place.append(...buttons.map(([, button]) => button), least, beside)
  store.listen((state) => {
    const { opened, layers, over, edits, since, runs, run } = state
    const particles = opened?.kind === "particles"
    place.classList.toggle("plain", !particles)
    beside.disabled = !actions.beside.can()
    least.hidden = !particles || !runs[run]?.offers?.presence
    for (const [name, button] of buttons) {
      button.hidden = name === "truth" ? !hasTruth(state) : name === "tracks" ? !state.tracks : !particles || ((name === "boxes" || name === "masks") && !layers) || (name === "proposals" && !opened?.proposals)
      button.classList.toggle("on", over[name])
      button.setAttribute("aria-pressed", String(over[name]))
    }
    if (document.activeElement !== slider || since === null) slider.value = edits.threshold
    output.textContent = edits.threshold.toFixed(2)
  })
}
