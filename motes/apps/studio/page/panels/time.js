// Time, where a run's held-out pictures are frames of clips: which frame is open. What the model expects next has its place here.

import { make } from "../draw.js"

export function panel(store, server, actions) {
  const place = document.getElementById("time")
  const slider = make("input", { type: "range", min: "0", step: "1", "aria-label": "Frame of the clip" }), output = make("output", {})
  place.append(make("label", {}, "Time"), slider, output, make("span", { class: "next", title: "None of the models here tells what happens next" }, "no prediction yet"))
  slider.addEventListener("input", async () => {
    const { clip, head, row, frames } = placeOf(store.state), at = Number(slider.value)
    try {
      const picture = clip ? await clip.picture(at, server) : `${head}/${row - (row % frames) + at}`
      if (picture) store.wish({ picture })
    } catch (problem) {
      store.say(problem.message)
    }
  })
  store.listen((state) => {
    const { row, frames } = placeOf(state)
    place.hidden = !(frames > 1 && state.opened && state.live)
    if (place.hidden) return
    slider.max = String(frames - 1)
    if (document.activeElement !== slider || !state.opening) slider.value = String(row % frames)
    output.textContent = `${(row % frames) + 1} of ${frames}`
  })
}

// Of a frame of a clip: its number, and how many frames a clip has; of a person's own clip the clip too.
export function placeOf({ opening, picture: shown, runs, clips }) {
  const picture = opening?.picture || shown, clip = clips.find(({ names }) => names.includes(picture))
  if (clip) return { clip, row: clip.names.indexOf(picture), frames: clip.count }
  const [, head, name, number] = picture.match(/^(held-out\/(.+))\/(\d+)$/) || []
  return { head, row: Number(number || 0), frames: runs.find((run) => run.name === name)?.frames || 1 }
}
