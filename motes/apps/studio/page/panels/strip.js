// Every particle drawn alone, over chequers where it is clear: to see what it looks like, and to choose it.

import { glimpse } from "../composite.js"
import { colour, make, put } from "../draw.js"
import { particles } from "../edits.js"
import { shown } from "../stage.js"

export function stripPanel(store) {
  const place = document.getElementById("strip")
  function choose(event, k) {
    const { selection } = store.state, many = event.shiftKey || event.ctrlKey || event.metaKey
    store.set({ selection: many ? (selection.includes(k) ? selection.filter((one) => one !== k) : [...selection, k]) : [k] })
  }

  function tile({ layers, selection }, one) {
    const canvas = layers && make("canvas", {})
    if (layers && one.k < layers.count) put(canvas, glimpse(layers, one.k), layers.side)
    return make("button", { type: "button", role: "option", "aria-selected": String(selection.includes(one.k)), class: `${shown(one) ? "" : "doubted"} ${selection.includes(one.k) ? "on" : ""}`, "--c": colour(one.k), "data-k": String(one.k), title: `particle ${one.k}`, onclick: (event) => choose(event, one.k) },
      canvas, make("span", {}, String(one.k)))
  }

  store.listen((now, before) => {
    if (now.dragging || ["opened", "edits", "layers", "selection", "dragging"].every((name) => now[name] === before[name])) return
    place.classList.toggle("plain", !now.layers)
    const focused = document.activeElement?.closest?.("#strip button")?.dataset.k, kept = place.scrollLeft
    place.replaceChildren(...(now.opened?.kind === "particles" ? particles(now.opened, now.edits).map((one) => tile(now, one)) : []))
    place.scrollLeft = kept
    if (focused) place.querySelector(`[data-k="${focused}"]`)?.focus()
  })
}
