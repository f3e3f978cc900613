// A lane for each thing, under the time: when it is there. A click goes there and chooses it.

import { colour, make } from "../draw.js"
import { roving } from "../roving.js"
import { thingOf } from "./names.js"
import { lanesOf } from "./tracks.js"

export function lanes(store, player) {
  const place = make("div", { id: "lanes", role: "listbox", "aria-label": "Things that are followed", hidden: true }), mark = roving(place)
  let drawn = null, chosen = null

  // Where the lane was clicked, or the nearest frame in which the thing is there.
  function go(event, { number, parts }, bar) {
    const { left, width } = bar.getBoundingClientRect(), { frames } = store.state.tracks
    const wished = event.detail ? Math.round(Math.min(Math.max((event.clientX - left) / width, 0), 1) * (frames - 1)) : player.frame
    const away = ({ first, last }) => Math.max(first - wished, wished - last, 0)
    const there = parts.filter(({ seen }) => seen), near = (there.length ? there : parts).reduce((best, one) => (away(one) < away(best) ? one : best))
    const frame = Math.min(Math.max(wished, near.first), near.last)
    store.set({ thing: number })
    player.seek(frame)
    player.rest()
    choose(store)
  }

  function lane(one, frames) {
    const bar = make("span", { class: "bar" }, one.parts.map(({ first, last, seen }) => make("i", { class: seen ? "" : "guess", "--from": first / frames, "--to": (last + 1) / frames })))
    const spans = one.parts.filter(({ seen }) => seen).map(({ first, last }) => `${first + 1} to ${last + 1}`)
    return make("button", { type: "button", role: "option", "aria-label": `thing ${one.number}, there in frames ${spans.join(", ") || "none"}`, title: `thing ${one.number}`, "data-thing": String(one.number), "--c": colour(one.number), onclick: (event) => go(event, one, bar) }, make("b", {}, String(one.number)), bar)
  }

  const draw = () => {
    const { tracks, thing } = store.state, all = player.film ? lanesOf(tracks) : []
    place.hidden = !all.length
    if (drawn !== tracks || chosen !== thing) {
      const focused = document.activeElement?.closest?.("#lanes button")?.dataset.thing, kept = place.scrollTop
      place.replaceChildren(...all.map((one) => lane(one, tracks.frames)))
      for (const button of place.children) button.setAttribute("aria-selected", String(Number(button.dataset.thing) === thing))
      if (focused) place.querySelector(`[data-thing="${focused}"]`)?.focus()
      place.scrollTop = kept
      mark()
      drawn = tracks
      chosen = thing
    }
    if (all.length) place.style.setProperty("--at", Math.min(player.frame, tracks.frames - 1) / Math.max(tracks.frames - 1, 1))
  }
  player.listen(draw)
  store.listen((now, before) => {
    if (now.tracks !== before.tracks || now.thing !== before.thing) draw()
    if (now.opened !== before.opened || now.tracks !== before.tracks) choose(store)
    if (now.selection.join() !== before.selection.join() && now.opened === before.opened && now.thing !== null) forget(store)
  })
  return place
}

// The particle of the open picture that is the chosen thing.
function choose(store) {
  const { opened, opening, thing } = store.state
  if (thing === null || !opened || opening) return
  const found = [...(thingOf(store.state) ?? [])].find(([, number]) => number === thing)?.[0]
  if (found !== undefined && store.state.selection.join() !== String(found)) {
    choosing = true
    store.set({ selection: [found] })
    choosing = false
  }
}

let choosing = false

// Another particle was chosen by hand: the thing is no longer.
function forget(store) {
  if (!choosing) store.set({ thing: null })
}
