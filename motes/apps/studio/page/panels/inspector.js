// The right column: numbers of what is chosen, presence, the look's dimensions or principal directions, what can be done with it.

import { decibels, make, spoken } from "../draw.js"
import { particle, particles, resized, walked, withBackground, withCode, withFeature, withPresence, withWay } from "../edits.js"
import { Looks } from "../looks.js"
import { boxesOf, sizeOf } from "../marks.js"
import { called, thingOf } from "../video/names.js"

const BUTTONS = ["duplicate", "remove", "copy", "pasteLook", "larger", "smaller", "front", "back", "resetOne", "paste"]
const SMALLEST = 0.25 // scale that the sliders reach
const SLIDERS = 64 // of a code, at most

export function panel(store, server, actions) {
  const place = document.getElementById("inspector")
  const sliders = []
  const looks = new Looks(store, server)
  let byNumbers = false, sliding = false

  // One slider: `read` tells its value from the state, `change` the edits for a value.
  function slider(title, [low, high], read, change, step = (high - low) / 200, ends = null) {
    const input = make("input", { type: "range", min: String(low), max: String(high), step: String(step), "aria-label": title })
    const output = make("output", {})
    const row = ends ? make("div", { class: "slider ends", title }, ends[0], input, ends[1]) : make("div", { class: "slider" }, make("label", {}, title), input, output)
    input.addEventListener("input", () => {
      sliding = true
      store.passing(change(Number(input.value), store.state.since ?? store.state.edits))
    })
    input.addEventListener("change", () => {
      store.rest()
      sliding = false
      refresh()
    })
    const refresh = () => {
      const value = read()
      if (!sliding || document.activeElement !== input) input.value = value
      output.textContent = value.toFixed(2)
    }
    sliders.push(refresh)
    refresh()
    return row
  }

  function toggle() {
    const choice = (on, title) => make("button", { type: "button", class: byNumbers === on ? "on" : "", "aria-pressed": String(byNumbers === on), onclick: () => (byNumbers = on, draw()) }, title)
    return make("span", { class: "split" }, choice(false, "pictures"), choice(true, "numbers"))
  }

  function look(state) {
    const { opened, edits, selection, live } = state
    if (!live) return [] // the model draws looks
    const first = selection[0], { features } = particle(opened, edits, first), ranges = state.runs[state.run].ranges
    if (!features.length) return []
    const head = [make("div", { class: "title" }, make("h2", {}, "Look"), ranges?.axes.length ? toggle() : null)]
    if (!byNumbers && ranges?.axes.length) {
      const along = (f, axis) => f.reduce((sum, value, n) => sum + (value - ranges.middle[n]) * axis[n], 0)
      return [...head, ...ranges.axes.map((axis, n) => slider(`look ${n + 1}`, [-2 * ranges.reach[n], 2 * ranges.reach[n]],
        () => along(particle(opened, store.state.edits, first).features, axis),
        (value, base) => selection.reduce((now, k) => walked(opened, now, [k], axis, value - along(particle(opened, now, k).features, axis)), base), undefined, state.layers && endsOf(features, axis, along(features, axis), 2 * ranges.reach[n])))]
    }
    const span = (f) => ranges ? [Math.min(ranges.low[f], features[f]), Math.max(ranges.high[f], features[f])] : [-3, 3]
    return [...head, ...features.map((_, f) => slider(`number ${f}`, span(f), () => particle(opened, store.state.edits, first).features[f], (value, base) => withFeature(base, selection, f, value)))]
  }

  // Pictures of what a slider leads to at both of its ends.
  function endsOf(numbers, axis, now, reach) {
    return [-reach, reach].map((end) => looks.tile(numbers.map((value, f) => value + (end - now) * axis[f])))
  }

  // Two sliders, for models whose particles have sizes; all that are chosen grow alike.
  function size({ opened, selection, layers, runs, run }) {
    if (!runs[run].offers.sizes) return []
    const scale = (edits) => particle(opened, edits, selection[0]).scale
    return ["height", "width"].map((name, axis) => {
      const now = scale(store.state.edits)[axis], whole = [opened.rows, opened.columns][axis] / (layers?.side || 16)
      const change = (value, base) => resized(opened, base, selection, [0, 1].map((other) => (other === axis ? value / scale(base)[axis] : 1)))
      return slider(`${name} ×`, [Math.min(SMALLEST, now), Math.max(whole, now)], () => scale(store.state.edits)[axis], change, 0.01)
    })
  }

  const wordsOf = (state, k) => (thingOf(state)?.has(k) ? `Thing ${called(state, k).name}` : `Particle ${k}`)
  const placeOf = ({ opened, edits, selection }) => particle(opened, edits, selection[0]).position.map((value) => value.toFixed(3)).join(", ")
  const boxOf = (state) => {
    const found = boxesOf(state).get(state.selection[0])
    return found ? sizeOf(found) : "hidden"
  }

  function chosen(state) {
    const { opened, edits, selection, runs, run } = state, offers = runs[run].offers, first = particle(opened, edits, selection[0])
    const [rowSpread, columnSpread] = first.spread.map((spread, axis) => (spread / 2) * [opened.rows, opened.columns][axis])
    return [
      make("div", { class: "chips" }, selection.map((k) => make("span", { class: "chip", "--c": called(state, k).tone }, selection.length > 1 ? called(state, k).name : wordsOf(state, k)))),
      make("dl", { class: "numbers", id: "numbers" },
        make("dt", {}, "row, column"), make("dd", { id: "number-place" }, placeOf(state)),
        state.layers ? [make("dt", {}, "box"), make("dd", { id: "number-box" }, boxOf(state))] : null,
        make("dt", {}, "spread"), make("dd", {}, `± ${rowSpread.toFixed(2)}, ${columnSpread.toFixed(2)} px`),
        make("dt", {}, "certainty"), make("dd", {}, first.certainty.toFixed(2))),
      offers.presence ? slider("presence", [0, 1], () => particle(opened, store.state.edits, selection[0]).presence, (value, base) => withPresence(base, selection, value), 0.01) : null,
      ...size(state),
      ...look(state),
      make("h2", {}, "Do"), buttons(),
    ]
  }

  function buttons(names = BUTTONS) {
    return make("div", { class: "actions" }, names.map((name) => [name, actions[name]]).filter(([, one]) => one.can()).map(([name, one]) =>
      make("button", { type: "button", title: one.key.toUpperCase(), "data-action": name, onclick: () => one.does() }, one.name)))
  }

  function nothing({ opened, edits, clip, drawn }) {
    const all = particles(opened, edits), there = all.filter((one) => one.there), mean = there.reduce((sum, one) => sum + one.certainty, 0) / there.length
    const facts = [["there", `${there.length} of ${all.length}`], ...(there.length ? [["mean certainty", mean.toFixed(2)]] : []), ["near the original", `${decibels(drawn, opened.pixels).toFixed(1)} dB`]]
    return [
      make("dl", { class: "numbers" }, facts.map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
      make("p", { class: "hint" }, "Take hold of a particle in the picture, or draw a box around many. Held space shows the picture as it was."),
      clip ? buttons(["paste"]) : null,
    ]
  }

  function code({ opened, live, runs, run }) {
    if (!live) return [make("p", { class: "hint" }, "Codes are drawn by the model: motes studio RUN.")]
    const { ranges } = runs[run], value = (f) => store.state.edits.code[f] ?? opened.code[f]
    const whole = () => opened.code.map((_, f) => value(f))
    const along = (axis) => whole().reduce((sum, one, n) => sum + (one - ranges.middle[n]) * axis[n], 0)
    const walk = (axis) => (to, base) => {
      const now = opened.code.map((one, f) => base.code[f] ?? one), by = to - now.reduce((sum, one, n) => sum + (one - ranges.middle[n]) * axis[n], 0)
      return withCode(base, Object.fromEntries(now.map((one, f) => [f, Math.round((one + by * axis[f]) * 1e5) / 1e5])))
    }
    const head = [make("div", { class: "title" }, make("h2", {}, `Code of ${opened.code.length}`), ranges ? toggle() : null)]
    if (!byNumbers && ranges?.axes.length) return [...head, ...ranges.axes.map((axis, n) => slider(`look ${n + 1}`, [-2 * ranges.reach[n], 2 * ranges.reach[n]], () => along(axis), walk(axis), undefined, endsOf(whole(), axis, along(axis), 2 * ranges.reach[n])))]
    const more = opened.code.length > SLIDERS ? make("p", { class: "hint" }, `The first ${SLIDERS} are shown; pictures reach all.`) : null
    return [...head, more, ...opened.code.slice(0, SLIDERS).map((_, f) => slider(`number ${f}`, ranges ? [Math.min(ranges.low[f], value(f)), Math.max(ranges.high[f], value(f))] : [-3, 3], () => value(f), (to, base) => withCode(base, { [f]: to })))]
  }

  function background({ edits, picture, runs, run, folder, dropped, opened, live }) {
    const others = [...dropped, ...(runs[run].pictures || []), ...folder].filter((name) => name !== picture)
    if (opened.kind !== "particles" || !live || !others.length || !runs[run].offers.presence) return []
    const select = make("select", { id: "background", "aria-label": "Background", onchange: () => store.edit(withBackground(store.state.edits, select.value)) },
      make("option", { value: "" }, "its own"), others.map((name) => make("option", { value: name }, `of ${spoken(name)}`)))
    select.value = edits.background
    return [make("h2", {}, "Background"), select]
  }

  // Latents that the page knows no edits of: the picture is shown as it is drawn.
  function other() {
    return [make("p", { class: "hint", id: "no-edits" }, "This model's latent cannot be edited by hand here. Its pictures and what it draws of them are shown.")]
  }

  function explore({ edits, picture, runs, run, folder, dropped, live, opened }) {
    const others = [...dropped, ...(runs[run].pictures || []), ...folder].filter((name) => name !== picture)
    if (!live || !others.length || !["particles", "code"].includes(opened.kind)) return []
    const select = make("select", { id: "towards", "aria-label": "Blend towards", onchange: () => store.edit(withWay(store.state.edits, select.value, select.value ? store.state.edits.towards[1] || 0.5 : 0)) },
      make("option", { value: "" }, "no other picture"), others.map((name) => make("option", { value: name }, spoken(name))))
    select.value = edits.towards[0]
    return [make("h2", {}, "Blend towards"), select, edits.towards[0] ? slider("share", [0, 1], () => store.state.edits.towards[1], (share, base) => withWay(base, base.towards[0], share), 0.01) : null]
  }

  function sample({ runs, run, live }) {
    if (!live || !runs[run].offers.samples) return []
    const draw = async () => {
      try {
        const { picture } = await server.ask("sample", { run })
        store.set({ sampled: [...store.state.sampled, picture] })
        store.wish({ picture })
      } catch (problem) {
        store.say(problem.message)
      }
    }
    return [make("h2", {}, "Make up"), make("button", { type: "button", onclick: draw }, "A new picture")]
  }

  function draw() {
    const { state } = store
    sliders.length = 0
    looks.clear()
    if (!state.opened || !state.runs[state.run]?.offers) return place.replaceChildren()
    const particlesOf = state.selection.length ? chosen : nothing
    const main = ({ particles: particlesOf, code }[state.opened.kind] ?? other)(state)
    place.replaceChildren(...main.filter(Boolean), ...background(state), ...explore(state).filter(Boolean), ...sample(state))
  }

  store.listen((now, before) => {
    if (["opened", "selection", "clip", "runs", "live", "past", "future"].some((name) => now[name] !== before[name]) && !sliding) draw()
    else if (now.exact && !before.exact && !now.selection.length && !sliding) draw()
    else if (now.edits !== before.edits || now.dragging !== before.dragging) refreshAll(now)
  })

  function refreshAll(state) {
    for (const refresh of sliders) refresh()
    if (!state.selection.length) return
    for (const [id, words] of [["number-place", placeOf], ["number-box", boxOf]]) {
      const shown = document.getElementById(id)
      if (shown) shown.textContent = words(state)
    }
  }
}
