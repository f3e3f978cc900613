// Two runs on the same picture, side by side, with how far each is from it.

import { decibels, make, rgba } from "../draw.js"

export function comparePanel(store, server) {
  const place = document.getElementById("compare")

  async function open({ other, picture }) {
    try {
      const facts = await server.ask("open", { run: other, picture })
      const [rows, columns] = facts.drawn.shape
      if (store.state.other === other && store.state.picture === picture) store.set({ compared: { rows, columns, pixels: rgba(facts.drawn), original: rgba(facts.image), facts } })
    } catch (problem) {
      store.set({ compared: null })
      store.say(problem.message)
    }
  }

  function draw({ runs, run, other, compared, opened, drawn }) {
    const others = runs.map((one, n) => [one, n]).filter(([one, n]) => n !== run && one.ready)
    if (!others.length) return place.replaceChildren(make("p", { class: "hint" }, "Open two runs to compare them: motes studio RUN RUN"))
    const select = make("select", { "aria-label": "The other run", onchange: () => store.set({ other: Number(select.value), compared: null }) },
      make("option", { value: "-1" }, "no other"), others.map(([one, n]) => make("option", { value: String(n) }, one.name)))
    select.value = String(other)
    const row = (name, pixels, original, facts) => [make("dt", {}, name), make("dd", {}, `${decibels(pixels, original).toFixed(1)} dB${facts.presence ? `, ${facts.presence.filter((one, k) => one > 0.5 && facts.certainty[k] >= 0.5).length} particles` : ""}`)]
    place.replaceChildren(make("h2", {}, "The same picture by"), select,
      ...(compared && drawn ? [make("h2", {}, "Nearness to the original"), make("dl", { class: "numbers" }, ...row(runs[run].name, drawn, opened.pixels, opened), ...row(runs[other].name, compared.pixels, compared.original, compared.facts))] : []))
  }

  store.listen((now, before) => {
    if (now.other >= 0 && now.opened && (now.other !== before.other || now.opened !== before.opened)) open(now)
    if (now.other < 0 && now.compared) store.set({ compared: null })
    if (["runs", "run", "other", "compared", "opened"].some((name) => now[name] !== before[name]) || (now.compared && now.drawn !== before.drawn && !now.dragging)) draw(now)
  })
}
