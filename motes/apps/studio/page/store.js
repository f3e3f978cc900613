// The one state record of the page, its history, and its place in the URL.

import { NOTHING } from "./edits.js"

export const SHOWS = ["drawn", "before", "original", "background", "error"]
export const OVERLAYS = ["marks", "numbers", "boxes", "masks", "proposals"]

export class Store {
  constructor() {
    this.listeners = []
    this.state = {
      session: "", runs: [], folder: [], dropped: [], live: true, connected: false,
      run: 0, picture: "", others: [], beside: [], sheets: [], opened: null, layers: null, before: null, drawn: null,
      edits: NOTHING, past: [], future: [], selection: [], clip: null,
      show: "drawn", over: { marks: true, numbers: true, boxes: false, masks: false, proposals: false }, held: false,
      tab: "edit", note: "", dragging: false,
    }
  }

  listen(listener) {
    this.listeners.push(listener)
  }

  set(change) {
    const before = this.state
    this.state = { ...before, ...change }
    for (const listener of this.listeners) listener(this.state, before)
  }

  // A step that undo takes back. While a hand moves, only its first moment is kept.
  edit(edits, { since = this.state.edits } = {}) {
    const { past } = this.state
    this.set({ edits, past: [...past, since], future: [] })
  }

  // A moment of a movement; `edit` with `since` ends it.
  passing(edits) {
    this.set({ edits })
  }

  undo() {
    const { past, future, edits } = this.state
    if (past.length) this.set({ edits: past.at(-1), past: past.slice(0, -1), future: [edits, ...future], selection: this.existing(past.at(-1)) })
  }

  redo() {
    const { past, future, edits } = this.state
    if (future.length) this.set({ edits: future[0], past: [...past, edits], future: future.slice(1) })
  }

  existing(edits) {
    const { opened, selection } = this.state
    return selection.filter((k) => k < (opened?.position?.length ?? 0) || edits.particles[k])
  }

  say(note) {
    this.set({ note })
  }
}

// The state's numbers of runs, in the new list of runs of a server that was started again: a run is known by its name.
export function renumbered({ runs: known, run, others, beside }, runs) {
  const place = (n) => runs.findIndex(({ name }) => name === known[n]?.name)
  return {
    run: place(run), others: others.map(place).filter((n) => n >= 0),
    beside: beside.map((pin) => ({ ...pin, run: place(pin.run) })).filter((pin) => pin.run >= 0),
  }
}

// The address holds all that a link needs to show the same again.
export function toHash(state) {
  const kept = { r: state.runs[state.run]?.name, p: state.picture }
  if (state.others.length) kept.c = state.others.map((run) => state.runs[run]?.name)
  if (state.beside.length) kept.b = state.beside.map(({ run, picture, edits }) => [state.runs[run]?.name, picture, edits])
  if (JSON.stringify(state.edits) !== JSON.stringify(NOTHING)) kept.e = state.edits
  if (state.selection.length) kept.s = state.selection
  if (state.show !== "drawn") kept.v = state.show
  kept.o = OVERLAYS.filter((name) => state.over[name]).join(" ")
  return "#" + btoa(unescape(encodeURIComponent(JSON.stringify(kept)))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")
}

export function fromHash(hash, runs) {
  try {
    const kept = JSON.parse(decodeURIComponent(escape(atob(hash.slice(1).replaceAll("-", "+").replaceAll("_", "/")))))
    const named = (name) => runs.findIndex((run) => run.name === name)
    const shown = String(kept.o ?? "marks numbers").split(" ")
    return {
      run: Math.max(named(kept.r), 0), missing: kept.r && named(kept.r) < 0 ? String(kept.r) : "", picture: String(kept.p || ""), others: [kept.c || []].flat().map(named).filter((run) => run >= 0),
      beside: (kept.b || []).slice(0, 5).map(([run, name, edits]) => ({ run: Math.max(named(run), 0), picture: String(name), edits: { ...NOTHING, ...edits }, past: [], future: [] })),
      edits: { ...NOTHING, ...(kept.e || {}) }, selection: (kept.s || []).filter(Number.isInteger),
      show: SHOWS.includes(kept.v) ? kept.v : "drawn", over: Object.fromEntries(OVERLAYS.map((name) => [name, shown.includes(name)])),
    }
  } catch {
    return null
  }
}
