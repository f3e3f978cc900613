// Several runs on the same picture, side by side: how far each is from it, and their curves on the same axes.

import { curve, seriesOf, tintOf } from "../curves.js"
import { decibels, make } from "../draw.js"

const EVERY = 4000 // milliseconds between looks at what the runs wrote

export function panel(store, server, actions) {
  const place = document.getElementById("compare"), written = new Map() // run -> what it wrote
  let timer = null

  const words = (pixels, { pixels: original, presence, certainty }) => {
    const there = presence?.filter((one, k) => one > 0.5 && (certainty?.[k] ?? 1) >= 0.5).length
    return `${decibels(pixels, original).toFixed(1)} dB${presence ? `, ${there} there` : ""}`
  }

  function row({ runs, run, others, sheets, opened, drawn }, one, n) {
    const toggle = () => store.set({ others: others.includes(n) ? others.filter((other) => other !== n) : [...others, n] })
    const sheet = sheets.find((it) => it.pin < 0 && it.run === n), mine = n === run
    const box = make("input", { type: "checkbox", checked: mine || others.includes(n), disabled: mine || !(one.ready || one.watchable), onchange: toggle })
    const text = mine ? opened && drawn && words(drawn, opened) : sheet?.opened ? words(sheet.drawn, sheet.opened) : one.ready ? "" : "no checkpoint yet"
    return make("label", { class: mine || others.includes(n) ? "pick shown" : "pick", "--c": tintOf(n), title: one.name }, box, make("span", {}, one.name), make("output", {}, text || ""))
  }

  const shown = ({ run, others }) => [...new Set([run, ...others])]

  function curves(state) {
    const found = shown(state).filter((n) => written.get(n)?.lines.length).map((n) => [n, seriesOf(written.get(n).lines)]).filter(([, series]) => series.size)
    const names = new Set(found.flatMap(([, series]) => [...series.keys()]))
    return [...names].map((name) => {
      const several = found.filter(([, series]) => series.has(name)).map(([n, series]) => ({ name: state.runs[n].name, tint: tintOf(n), points: series.get(name) }))
      return several.length > 1 || found.length === 1 ? curve(name, several) : null // what only one has is in its own panel
    }).filter(Boolean)
  }

  async function look() {
    clearTimeout(timer)
    const { tab, live, runs } = store.state
    if (tab !== "compare" || !live) return
    for (const n of shown(store.state).filter((one) => runs[one]?.watchable)) {
      const known = written.get(n)
      written.set(n, await server.progress(n, known).catch(() => known))
    }
    draw(store.state)
    timer = setTimeout(look, EVERY)
  }

  function draw(state) {
    if (state.runs.length < 2) return place.replaceChildren(make("p", { class: "hint" }, "Open more runs to compare them: motes studio RUN RUN"))
    const at = document.activeElement?.closest?.("#compare label"), focused = at ? [...at.parentElement.children].indexOf(at) : -1
    const picks = make("div", { class: "picks" }, state.runs.map((one, n) => row(state, one, n)))
    place.replaceChildren(make("h2", {}, "The same picture by"), picks, make("p", { class: "hint" }, "Decibels tell how near a run's picture is to the original; more is nearer."), ...curves(state))
    picks.children[focused]?.querySelector("input").focus()
  }

  store.listen((now, before) => {
    const asked = now.tab !== before.tab || now.others !== before.others || now.run !== before.run
    if (["runs", "run", "others", "sheets", "opened"].some((name) => now[name] !== before[name]) || (now.tab === "compare" && now.drawn !== before.drawn && !now.dragging)) draw(now)
    if (asked) look()
  })
}
