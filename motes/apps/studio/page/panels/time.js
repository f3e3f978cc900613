// Time, where a run's held-out pictures are frames of clips: which frame is open. What the model expects next has its place here.

import { make } from "../draw.js"

export function panel(store, server, actions) {
  const place = document.getElementById("time")
  const slider = make("input", { type: "range", min: "0", step: "1", "aria-label": "Frame of the clip" }), output = make("output", {})
  place.append(make("label", {}, "Time"), slider, output, make("span", { class: "next", title: "None of the models here tells what happens next" }, "no prediction yet"))
  slider.addEventListener("input", () => {
    const { head, row, frames } = placeOf(store.state)
    store.wish({ picture: `${head}/${row - (row % frames) + Number(slider.value)}` })
  })
  store.listen((state) => {
    const { row, frames } = placeOf(state)
    place.hidden = !(frames > 1 && state.opened && state.live)
    if (place.hidden) return
    slider.max = String(frames - 1)
    slider.value = String(row % frames)
    output.textContent = `${(row % frames) + 1} of ${frames}`
  })
}

// A held-out picture's row, and how many frames a clip of its run has.
export function placeOf({ opening, picture: shown, runs }) {
  const picture = opening?.picture || shown
  const [, head, name, number] = picture.match(/^(held-out\/(.+))\/(\d+)$/) || []
  return { head, row: Number(number || 0), frames: runs.find((run) => run.name === name)?.frames || 1 }
}
