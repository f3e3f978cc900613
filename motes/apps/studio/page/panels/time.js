// The time of a film: played, scrubbed, stepped; what is followed in it; what comes next.

import { announce, make, save, shape } from "../draw.js"
import { MODES, SAMPLES, STEPS } from "../store.js"
import { SPEEDS } from "../video/player.js"
import { lanesOf } from "../video/tracks.js"
import { lanes } from "../video/lanes.js"

const ICONS = { play: "M7 4.5v15l12-7.5z", pause: "M7 5h3.6v14H7zM13.4 5H17v14h-3.6z", frameBack: "M16 5v14L7 12zM5 5h2v14H5z", frameOn: "M8 5v14l9-7zM17 5h2v14h-2z" }

export function panel(store, server, actions, { player, tracks, future }) {
  const place = document.getElementById("time")
  const about = make("div", { class: "about" }, ...things(store, server, actions, { player, tracks }), ...coming(store, actions, future, player))
  place.append(...transport(actions, player), lanes(store, player), about)
  const draw = () => (place.hidden = !(player.film && store.state.opened && store.state.live))
  player.listen(draw)
  store.listen(draw)
}

const icon = (name) => shape("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, shape("path", { d: ICONS[name] }))
const titled = ({ name, key }) => `${name} (${key.toUpperCase()})`

function transport(actions, player) {
  const button = (name) => make("button", { type: "button", class: "icon", title: titled(actions[name]), "aria-label": actions[name].name, onclick: () => actions[name].does() }, icon(name))
  const [back, play, on] = ["frameBack", "play", "frameOn"].map(button)
  const slider = make("input", { type: "range", min: "0", step: "1", "aria-label": "Frame of the clip" }), output = make("output", {})
  const future = make("i", { class: "span", hidden: true }) // which frames are predicted
  const pace = make("select", { "aria-label": "Speed", title: "Speed (< and >)", onchange: () => player.pace(Number(pace.value)) }, SPEEDS.map((speed) => make("option", { value: String(speed) }, `${speed} ×`)))
  const loop = make("button", { type: "button", class: "loop", title: titled(actions.loop), onclick: () => actions.loop.does() }, "Loop")
  slider.addEventListener("input", () => player.seek(Number(slider.value)))
  let playing = false, at = -1
  player.listen(({ film, frame, playing: now, speed, loop: again, store }) => {
    if (!film) return
    const [first, last] = player.range(), predicted = Boolean(store.state.outlook), end = Math.max(film.count - 1, last)
    if (slider.max !== String(end)) slider.max = String(end)
    if (slider.value !== String(frame)) slider.value = String(frame)
    output.textContent = frame < film.count ? `${frame + 1} of ${film.count}` : `${frame - film.count + 1} after the end`
    slider.setAttribute("aria-valuetext", predicted && frame > first ? `${frame - first} frames on` : `frame ${output.textContent}`)
    future.hidden = !predicted
    if (predicted) {
      future.style.setProperty("--from", first / end)
      future.style.setProperty("--to", last / end)
    }
    pace.value = String(speed)
    loop.classList.toggle("on", again)
    loop.setAttribute("aria-pressed", String(again))
    if (now !== playing) {
      play.replaceChildren(icon(now ? "pause" : "play"))
      play.setAttribute("aria-label", now ? "Pause the film" : "Play the film")
      announce(now ? "playing" : `paused at frame ${frame + 1} of ${film.count}`)
    } else if (frame !== at && !now && document.activeElement !== slider) announce(`frame ${frame + 1} of ${film.count}`)
    playing = now
    at = frame
  })
  return [make("div", { class: "transport" }, back, play, on), make("div", { class: "rail" }, future, slider), make("div", { class: "pace" }, output, pace, loop)]
}

// What is followed: begun here, how far it is, and what it gives.
function things(store, server, actions, { player, tracks }) {
  const begin = make("button", { type: "button", id: "follow", title: titled(actions.follow), onclick: () => tracks.follow() }, "Follow things")
  const bar = make("progress", { max: "1" }), words = make("span", { class: "words" })
  const stop = make("button", { type: "button", id: "unfollow", onclick: () => tracks.stop() }, "Cancel")
  const file = (kind, title) => make("button", { type: "button", id: `tracks-${kind}`, title, onclick: () => download(kind) }, kind.toUpperCase())
  const files = [file("csv", "Where each thing is in each frame, as a table"), file("mot", "The same as text of the MOT challenge")]

  async function download(kind) {
    const { run } = store.state
    try {
      const texts = await server.ask("tracks", { run, clip: player.film.name })
      save({ csv: "tracks.csv", mot: "mot.txt" }[kind], texts[kind], "text/plain")
    } catch (problem) {
      store.say(problem.message)
    }
  }

  const draw = () => {
    const { tracks: now, following } = store.state, can = Boolean(player.film) && actions.follow.can(), done = Boolean(now?.finished)
    begin.hidden = !can || Boolean(now) || following
    bar.hidden = stop.hidden = !can || done || !(now || following)
    words.hidden = !can || !now
    for (const one of files) one.hidden = !can || !done
    if (!now) return
    bar.value = now.frames ? now.done / now.frames : 0
    bar.setAttribute("aria-label", "Followed so far")
    words.textContent = done ? said(lanesOf(now).length, "thing") : now.done || !now.read ? `following, ${now.done} of ${now.frames}` : `reading, ${now.read} of ${now.frames}`
  }
  player.listen(draw)
  store.listen((now, before) => ["tracks", "following", "runs", "run"].some((name) => now[name] !== before[name]) && draw())
  return [begin, bar, words, stop, ...files]
}

const said = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`

// What comes next: how many frames, how many futures, beside the truth or over it.
function coming(store, actions, future, player) {
  const begin = make("button", { type: "button", id: "future", title: titled(actions.future), onclick: () => actions.future.does() }, "What comes next")
  const choice = (label, values, name, words) => {
    const select = make("select", { "aria-label": label, onchange: () => future.change({ [name]: Number(select.value) }) }, values.map((value) => make("option", { value: String(value) }, words(value))))
    return select
  }
  const steps = choice("Frames to predict", STEPS, "steps", (value) => `${value} frames`), samples = choice("Futures to draw", SAMPLES, "samples", (value) => (value ? `${value} futures` : "as expected"))
  const modes = MODES.map((mode) => make("button", { type: "button", title: mode === "beside" ? "Beside what came" : "Over what came", onclick: () => future.change({ mode }) }, mode[0].toUpperCase() + mode.slice(1)))
  const split = make("div", { class: "split", role: "group", "aria-label": "Where it is drawn" }, modes)
  const draw = () => {
    const { outlook: now, runs, run } = store.state, can = Boolean(player.film) && Boolean(runs[run]?.film?.predicts)
    begin.hidden = !can
    begin.classList.toggle("on", Boolean(now))
    begin.setAttribute("aria-pressed", String(Boolean(now)))
    begin.textContent = now && !now.answer ? "predicting …" : "What comes next"
    steps.hidden = split.hidden = !now
    samples.hidden = !now || !runs[run]?.film?.varies
    if (!now) return
    Object.assign(steps, { value: String(now.steps) })
    Object.assign(samples, { value: String(now.samples) })
    for (const [n, button] of modes.entries()) {
      button.classList.toggle("on", now.mode === MODES[n])
      button.setAttribute("aria-pressed", String(now.mode === MODES[n]))
    }
  }
  player.listen(draw)
  store.listen((now, before) => ["outlook", "runs", "run"].some((name) => now[name] !== before[name]) && draw())
  return [make("span", { class: "gap" }), begin, steps, samples, split]
}
