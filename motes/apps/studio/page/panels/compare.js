// Several runs on the same picture, side by side: how far each is from it.

import { decibels, make } from "../draw.js"

export function comparePanel(store) {
  const place = document.getElementById("compare")

  const words = (pixels, { pixels: original, presence, certainty }) => {
    const there = presence?.filter((one, k) => one > 0.5 && certainty[k] >= 0.5).length
    return `${decibels(pixels, original).toFixed(1)} dB${presence ? `, ${there} there` : ""}`
  }

  function row({ runs, run, others, sheets, opened, drawn }, one, n) {
    const toggle = () => store.set({ others: others.includes(n) ? others.filter((other) => other !== n) : [...others, n] })
    const sheet = sheets.find((it) => it.pin < 0 && it.run === n), mine = n === run
    const box = make("input", { type: "checkbox", checked: mine || others.includes(n), disabled: mine || !one.ready, onchange: toggle })
    const said = mine ? opened && drawn && words(drawn, opened) : sheet?.problem || (sheet?.opened && words(sheet.drawn, sheet.opened)) || (one.ready ? "" : "no checkpoint yet")
    return make("label", { class: "pick" }, box, make("span", {}, one.name), make("output", {}, said || ""))
  }

  function draw(state) {
    if (state.runs.length < 2) return place.replaceChildren(make("p", { class: "hint" }, "Open more runs to compare them: motes studio RUN RUN"))
    const at = document.activeElement?.closest?.("#compare label"), focused = at ? [...at.parentElement.children].indexOf(at) : -1
    const picks = make("div", { class: "picks" }, state.runs.map((one, n) => row(state, one, n)))
    place.replaceChildren(make("h2", {}, "The same picture by"), picks, make("p", { class: "hint" }, "Decibels tell how near a run's picture is to the original; more is nearer."))
    picks.children[focused]?.querySelector("input").focus()
  }

  store.listen((now, before) => {
    if (["runs", "run", "others", "sheets", "opened"].some((name) => now[name] !== before[name]) || (now.tab === "compare" && now.drawn !== before.drawn && !now.dragging)) draw(now)
  })
}
