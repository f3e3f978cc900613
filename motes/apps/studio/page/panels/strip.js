// Every particle drawn alone, over chequers where it is clear: to see what it looks like, and to choose it.

import { glimpse } from "../composite.js"
import { make, put } from "../draw.js"
import { particles } from "../edits.js"
import { shown } from "../marks.js"
import { roving } from "../roving.js"
import { called, thingOf } from "../video/names.js"

export function panel(store, server, actions) {
  const place = document.getElementById("strip"), mark = roving(place, { choosing: true })
  function choose(event, k) {
    const { selection } = store.state, many = event.shiftKey || event.ctrlKey || event.metaKey
    store.set({ selection: many ? (selection.includes(k) ? selection.filter((one) => one !== k) : [...selection, k]) : [k] })
  }

  function tile(state, one) {
    const { layers, selection } = state, { name, tone } = called(state, one.k)
    const canvas = layers && make("canvas", {})
    const k = one.k < layers?.count ? one.k : one.base // a copy that the model has not drawn yet looks like its origin
    if (k < layers?.count) put(canvas, glimpse(layers, k), layers.side)
    return make("button", { type: "button", role: "option", "aria-selected": String(selection.includes(one.k)), class: `${shown(one) ? "" : "doubted"} ${selection.includes(one.k) ? "on" : ""}`, "--c": tone, "data-k": String(one.k), title: `particle ${one.k}`, onclick: (event) => choose(event, one.k) },
      canvas, make("span", {}, name || "·"))
  }

  // Glimpses are drawn again when they changed, not whenever a place did.
  let seen = {}
  store.listen((state) => {
    const { opened, edits, layers, selection, dragging } = state, names = thingOf(state)
    if (dragging || (seen.opened === opened && seen.edits === edits && seen.layers === layers && seen.selection === selection && seen.names === names)) return
    const all = opened?.kind === "particles" ? particles(opened, edits) : [], marks = JSON.stringify(all.map((one) => [one.there, selection.includes(one.k)]))
    const same = seen.layers === layers && seen.marks === marks && seen.names === names
    seen = { opened, edits, layers, selection, marks, names }
    if (same) return
    place.classList.toggle("plain", !layers)
    const focused = document.activeElement?.closest?.("#strip button")?.dataset.k, kept = place.scrollLeft
    place.replaceChildren(...all.map((one) => tile(state, one)))
    place.scrollLeft = kept
    mark()
    if (focused) place.querySelector(`[data-k="${focused}"]`)?.focus()
  })
}
