// Says to screen readers what a hand or a key did.

import { particle } from "../edits.js"

export function panel(store) {
  const place = document.getElementById("said")

  function wordsOf({ opened, edits, selection }, before) {
    const [k] = selection, now = particle(opened, edits, k), then = particle(opened, before, k)
    const name = selection.length > 1 ? `${selection.length} particles` : `particle ${k}`
    if (now.presence < 0.5 && then.presence >= 0.5) return `${name} removed`
    if (String(now.position) !== String(then.position)) return `${name} moved to row ${inPixels(now.position[0], opened.rows)}, column ${inPixels(now.position[1], opened.columns)}`
    if (String(now.scale) !== String(then.scale)) return `${name}: ${now.scale[0].toFixed(2)} high, ${now.scale[1].toFixed(2)} wide`
    return `${name} changed`
  }

  store.listen((now, before) => {
    if (now.picture !== before.picture || now.past === before.past) return
    if (now.past.length < before.past.length) place.textContent = "undone"
    else if (now.opened?.kind === "particles" && now.selection.length) place.textContent = wordsOf(now, now.past.at(-1))
    else place.textContent = "changed"
  })
}

const inPixels = (place, size) => (((place + 1) / 2) * size).toFixed(1)
