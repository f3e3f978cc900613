// The map of keys, from the same list as the buttons.

import { make } from "../draw.js"
import { shownKey } from "../actions.js"

export function helpPanel(actions) {
  const dialog = document.getElementById("keys")
  const row = (keys, name) => make("div", {}, make("dt", {}, keys.map((key) => [make("kbd", {}, key), " "])), make("dd", {}, name))
  dialog.replaceChildren(make("h2", {}, "Keys and hands"), make("dl", {},
    row(["drag"], "Move a particle, or all that are chosen"), row(["Shift", "click"], "Choose one more (a finger: rest on it); on nothing: draw a box around more"),
    row(["←", "→", "↑", "↓"], "Nudge by a pixel; with Shift by five, with Alt by a quarter"), row(["Shift", "click"], "On a small picture: lay it beside this one"), row(["Space"], "Held: the picture as it was"),
    Object.values(actions).map(({ key, name }) => row(shownKey(key).split(" "), name))),
    make("p", {}, make("button", { type: "button", onclick: () => dialog.close() }, "Close")))
  const open = () => {
    dialog.showModal()
    dialog.scrollTop = 0 // the button that has the focus lies at its end
  }
  document.getElementById("help").addEventListener("click", open)
  return open
}
