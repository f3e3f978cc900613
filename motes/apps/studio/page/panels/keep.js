// What leaves the studio: the picture, the particles as JSON or CSV, the lines of Python, the link.

import { make, put, save } from "../draw.js"
import { particles, stacked } from "../edits.js"
import { keptOf } from "../links.js"
import { boxesOf } from "../marks.js"
import { sessionOf } from "../receiving.js"

const BOX = ["top_px", "left_px", "bottom_px", "right_px", "height_px", "width_px", "middle_row_px", "middle_column_px"]

export function panel(store, server, actions) {
  const place = document.getElementById("keep")
  const items = {
    png: ["Picture", "PNG", picture], gif: ["The edit, moving", "GIF", (state) => moving(state, "gif")], mp4: ["The edit, moving", "MP4", (state) => moving(state, "mp4")], json: ["Particles", "JSON", json], csv: ["Particles", "CSV", csv], python: ["The edit in Python", "text", python], link: ["Link to this", "URL", link],
    session: ["All pictures with their edits", "JSON", session],
  }
  const menu = make("menu", { hidden: true, id: "keep-menu" }, Object.entries(items).map(([id, [title, small, does]]) =>
    make("li", {}, make("button", { type: "button", id: `keep-${id}`, onclick: () => (close(), does(store.state)) }, title, make("small", {}, small)))))
  const button = make("button", { type: "button", id: "keep-button", "aria-expanded": "false", "aria-controls": "keep-menu", onclick: () => (menu.hidden ? open() : close()) }, "Export")
  const box = make("div", { class: "menu" }, button, menu)
  place.append(box)

  function open() {
    menu.hidden = false
    button.setAttribute("aria-expanded", "true")
    menu.querySelector("#keep-csv").parentElement.hidden = menu.querySelector("#keep-json").disabled = store.state.opened?.kind !== "particles"
    for (const id of ["python", "gif", "mp4"]) menu.querySelector(`#keep-${id}`).parentElement.hidden = !store.state.live
  }
  function close() {
    menu.hidden = true
    button.setAttribute("aria-expanded", "false")
  }
  addEventListener("pointerdown", (event) => box.contains(event.target) || close())
  addEventListener("keydown", (event) => event.key === "Escape" && !menu.hidden && (close(), button.focus()))
  store.listen(({ opened }) => (button.disabled = !opened))

  const name = ({ picture }) => picture.replace(/[^\w-]+/g, "-")

  function picture(state) {
    const canvas = make("canvas", {})
    put(canvas, state.drawn, state.opened.columns)
    canvas.toBlob(async (blob) => save(`${name(state)}.png`, await blob.arrayBuffer(), "image/png"))
  }

  async function moving(state, kind) {
    const { run, picture, edits } = state
    try {
      store.say("drawing …")
      const { file } = await server.ask("animate", { run, picture, edits, kind })
      save(`${name(state)}.${kind}`, file.data, kind === "gif" ? "image/gif" : "video/mp4")
      store.say("")
    } catch (problem) {
      store.say(problem.message)
    }
  }

  function json(state) {
    const { opened, edits, runs, run } = state
    const boxes = boxesOf(state), sized = opened.scale !== undefined
    const listed = stacked(opened, edits).map(({ k, position, scale, presence, certainty, features, spread }) => ({ particle: k, position, spread, ...(sized ? { scale } : {}), box: boxes.get(k), presence, certainty, features }))
    save(`${name(state)}.json`, JSON.stringify({ run: runs[run].name, picture: state.picture, edits, particles: listed }, null, 2), "application/json")
  }

  function csv(state) {
    const all = particles(state.opened, state.edits), looks = all[0]?.features.map((_, f) => `feature_${f}`) || []
    const boxes = boxesOf(state), boxed = state.layers || state.opened.window
    const rows = all.map((one) => [state.picture, one.k, ...one.position, ...one.spread, one.presence, one.certainty, one.there ? "True" : "False", ...(boxed ? boxCells(boxes.get(one.k), one.middle, state.opened) : []), ...one.features])
    const head = ["picture", "particle", "row", "column", "row_std", "column_std", "presence", "certainty", "there", ...(boxed ? BOX : []), ...looks]
    const cell = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value)
    save(`${name(state)}.csv`, [head, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n", "text/csv")
  }

  // As in motes/apps/session/particle_kind.py; empty where nothing is visible.
  function boxCells(box, middle, { rows, columns }) {
    if (!box) return BOX.map(() => "")
    const [top, left, bottom, right] = box
    return [top, left, bottom, right, bottom - top, right - left, ((middle[0] + 1) * rows - 1) / 2, ((middle[1] + 1) * columns - 1) / 2]
  }

  // Of what comes next, where that is looked at.
  async function python({ run, picture, edits, outlook }) {
    const dialog = document.getElementById("lines")
    try {
      const { clip, frame, steps, samples } = outlook ?? {}
      const { lines } = outlook ? await server.ask("future_python", { run, clip, frame, steps, samples, edits }) : await server.ask("python", { run, picture, edits })
      const copy = make("button", { type: "button", onclick: () => (navigator.clipboard.writeText(lines), store.say("copied")) }, "Copy")
      dialog.replaceChildren(make("h2", {}, outlook ? "The same prediction in Python" : "The same edit in Python"), make("pre", {}, lines), copy, " ", make("button", { type: "button", onclick: () => dialog.close() }, "Close"))
      dialog.showModal()
    } catch (problem) {
      store.say(problem.message)
    }
  }

  async function session(state) {
    save("session.motes.json", await sessionOf(keptOf(state), server.files), "application/json")
  }

  async function link() {
    try {
      await navigator.clipboard.writeText(location.href)
      store.say("the link is copied; it reopens all this")
    } catch {
      store.say("the address above is the link")
    }
  }
}
