// Several runs on the same picture, side by side: how far each is from it, and their curves on the same axes.

import { PLAIN, curve, seriesOf, tintOf } from "../curves.js"
import { decibels, make } from "../draw.js"

const EVERY = 4000 // milliseconds between looks at what the runs wrote

export function panel(store, server, actions) {
  const place = document.getElementById("compare"), written = new Map() // run -> what it wrote
  const options = new Map() // run -> its options, by name
  let settings = PLAIN
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
      return several.length > 1 || found.length === 1 ? curve(name, several, settings) : null // what only one has is in its own panel
    }).filter(Boolean)
  }

  // How curves are drawn.
  function controls() {
    const smooth = make("input", { type: "range", min: "0", max: "0.98", step: "0.02", value: String(settings.smooth), id: "smooth", oninput: () => drawCurves({ smooth: Number(smooth.value) }) })
    const axis = make("select", { id: "axis", onchange: () => drawCurves({ axis: axis.value }) }, ["auto", "linear", "logarithmic"].map((name) => make("option", {}, name)))
    axis.value = settings.axis
    return make("div", { class: "controls" }, make("label", {}, "Smoothing", smooth), make("label", {}, "Axis", axis))
  }

  function drawCurves(change) {
    settings = { ...settings, ...change }
    place.querySelector(".curves")?.replaceChildren(...curves(store.state))
  }

  // The options in which the runs that are looked at differ.
  function differences(state) {
    const these = shown(state).filter((n) => options.get(n))
    if (these.length < 2) return []
    const names = [...new Set(these.flatMap((n) => Object.keys(options.get(n))))]
    const differing = names.filter((name) => new Set(these.map((n) => options.get(n)[name])).size > 1)
    if (!differing.length) return [make("p", { class: "hint" }, "Their options are the same.")]
    const head = make("tr", {}, make("th", {}, "option"), these.map((n) => make("th", { scope: "col", class: "of", "--c": tintOf(n), title: state.runs[n].name }, state.runs[n].name)))
    const rows = differing.map((name) => make("tr", {}, make("th", { scope: "row" }, name), these.map((n) => make("td", {}, options.get(n)[name] ?? "–"))))
    return [make("h2", {}, "What differs"), make("div", { class: "scroll", tabIndex: 0, role: "group", "aria-label": "What differs in their options" }, make("table", { class: "differs" }, head, rows))]
  }

  async function learnOptions() {
    for (const n of shown(store.state).filter((one) => !options.has(one) && store.state.runs[one]?.watchable)) {
      options.set(n, null) // asked once
      options.set(n, (await server.ask("options", { run: n }).catch(() => ({ options: null }))).options)
    }
  }

  async function look() {
    clearTimeout(timer)
    const { tab, live, runs } = store.state
    if (tab !== "compare" || !live) return
    for (const n of shown(store.state).filter((one) => runs[one]?.watchable)) {
      const known = written.get(n)
      written.set(n, await server.progress(n, known).catch(() => known))
    }
    await learnOptions()
    draw(store.state)
    timer = setTimeout(look, EVERY)
  }

  function draw(state) {
    if (state.runs.length < 2) return place.replaceChildren(make("p", { class: "hint" }, "Open more runs to compare them: motes studio RUN RUN"))
    const held = document.activeElement?.closest?.("#compare .controls, #compare .curve")
    if (held) return held.matches(".curve") || drawCurves({}) // what has the focus stays
    const at = document.activeElement?.closest?.("#compare .picks label"), focused = at ? [...at.parentElement.children].indexOf(at) : -1
    const picks = make("div", { class: "picks" }, state.runs.map((one, n) => row(state, one, n)))
    place.replaceChildren(make("h2", {}, "The same picture by"), picks, make("p", { class: "hint" }, "Decibels tell how near a run's picture is to the original; more is nearer."), ...differences(state), ...(written.size ? [controls()] : []), make("div", { class: "curves" }, curves(state)))
    picks.children[focused]?.querySelector("input").focus()
  }

  store.listen((now, before) => {
    if (now.session !== before.session) [written, options].map((known) => known.clear()) // runs may have other numbers
    const asked = now.tab !== before.tab || now.others !== before.others || now.run !== before.run
    if (["runs", "run", "others", "sheets", "opened"].some((name) => now[name] !== before[name]) || (now.tab === "compare" && now.drawn !== before.drawn && !now.dragging)) draw(now)
    if (asked) look()
  })
}
