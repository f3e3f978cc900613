// A run under way: its curves and newest picture as they are written, and a word on its health.

import { curve, seriesOf } from "../curves.js"
import { make } from "../draw.js"

const EVERY = 2000 // milliseconds

export function panel(store, server, actions) {
  const place = document.getElementById("watch")
  let known, of = -1, picked = null, timer = null, latents = { numbers: [], sentences: [] }

  function draw(pictures, health) {
    const { lines } = known, newest = lines.at(-1)
    const shown = pictures.includes(picked) ? picked : pictures.at(-1), at = pictures.indexOf(shown)
    const slider = pictures.length > 1 ? make("input", { type: "range", min: "0", max: String(pictures.length - 1), value: String(at), "aria-label": "Which of the pictures", oninput: (event) => {
      picked = Number(event.target.value) === pictures.length - 1 ? null : pictures[event.target.value]
      place.querySelector(".grown").src = place.querySelector(".grown").parentElement.href = server.runPicture(of, pictures[event.target.value])
    } }) : null
    place.replaceChildren(
      make("p", { class: "hint", id: "watched" }, newest ? `Step ${newest.step.toLocaleString("en")}${newest.stage ? `, ${newest.stage}` : ""}. This page follows the run.` : "Nothing is written yet; this page follows the run."),
      make("dl", { class: "numbers" }, latents.numbers.map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
      ...[...health, ...latents.sentences].map((sentence) => make("p", { class: "warn" }, sentence)),
      ...[...seriesOf(lines)].map(([name, points]) => curve(name, [{ points }])),
      ...(shown ? [make("h2", {}, "What it drew of held-out pictures"), make("a", { href: server.runPicture(of, shown), target: "_blank", title: "Larger, by itself" }, make("img", { class: "grown", alt: "the run's own pictures", src: server.runPicture(of, shown) })), slider] : []).filter(Boolean),
      make("button", { type: "button", onclick: renew }, "Take up its best model so far"),
    )
  }

  // Of the model as it is loaded here.
  async function check() {
    try {
      latents = await server.ask("health", { run: of })
    } catch {
      latents = { numbers: [], sentences: [] } // no checkpoint yet
    }
    look()
  }

  async function renew() {
    try {
      const { fresh, facts } = await server.ask("renew", { run: of })
      store.learn(of, { ...facts, ...(fresh && { ranges: undefined }) })
      if (fresh) check()
      store.set({ note: fresh ? "its best model is taken up" : "there is no better model yet", renewed: fresh ? Date.now() : store.state.renewed })
    } catch (problem) {
      store.say(store.state.runs[of]?.ready ? problem.message : "there is no model of this run yet")
    }
  }

  async function look() {
    clearTimeout(timer)
    const { tab, run, live } = store.state
    if (tab !== "watch" || !live) return
    if (run !== of) {
      [known, of, latents] = [undefined, run, { numbers: [], sentences: [] }]
      check()
    }
    try {
      const found = await server.progress(run, known)
      if (run !== of) return
      known = found
      document.activeElement?.closest?.("#watch input") || draw(known.pictures, known.health)
    } catch (problem) {
      store.say(problem.message)
    }
    timer = setTimeout(look, EVERY)
  }

  store.listen((now, before) => {
    if (now.tab !== before.tab || now.run !== before.run) look()
  })
}
