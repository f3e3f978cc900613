// The one state record of the page: what is shown, and what was done to each picture.

import { NOTHING, isNothing } from "./edits.js"
import { WHOLE } from "./view.js"

export const SHOWS = ["drawn", "before", "original", "background", "error"]
export const STEPS = [10, 20, 50], SAMPLES = [0, 4, 8], MODES = ["beside", "over"] // of what comes next
export const OVERLAYS = ["marks", "numbers", "doubted", "boxes", "masks", "proposals", "truth", "tracks"]

export class Store {
  constructor() {
    this.listeners = []
    this.state = {
      session: "", runs: [], folder: [], dropped: [], films: [], numbered: [], sampled: [], truth: null, live: true, connected: false,
      run: 0, picture: "", others: [], beside: [], sheets: [], opened: null, layers: null, before: null, drawn: null,
      opening: null, // the run and the picture that are wanted, until they are there
      works: {}, // what was done to other pictures, by run and picture
      edits: NOTHING, past: [], future: [], selection: [], clip: null,
      tracks: null, following: false, thing: null, // of the open film: what is followed in it, whether it is to be, which thing is chosen
      outlook: null, // what comes after the open frame, where that is looked at
      since: null, // the edits before a movement that goes on
      show: "drawn", over: { marks: true, numbers: true, doubted: false, boxes: false, masks: false, proposals: false, truth: false, tracks: true }, held: false,
      view: WHOLE,
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

  // What is known of a run.
  learn(run, facts) {
    this.set({ runs: this.state.runs.map((one, n) => (n === run ? { ...one, ...facts } : one)) })
  }

  // A step that undo takes back.
  edit(edits) {
    this.rest()
    const { past, edits: since } = this.state
    this.set({ edits, past: [...past, since], future: [] })
  }

  // A moment of a movement, which is one step when it comes to rest.
  passing(edits) {
    this.set({ edits, since: this.state.since ?? this.state.edits })
  }

  rest() {
    const { since, edits, past, dragging } = this.state
    if (since === null && !dragging) return
    const step = since === null || since === edits ? {} : { past: [...past, since], future: [] }
    this.set({ ...step, since: null, dragging: false })
  }

  undo() {
    this.rest()
    const { past, future, edits } = this.state
    if (past.length) this.set({ edits: past.at(-1), past: past.slice(0, -1), future: [edits, ...future], selection: this.existing(past.at(-1)) })
  }

  redo() {
    this.rest()
    const { past, future, edits } = this.state
    if (future.length) this.set({ edits: future[0], past: [...past, edits], future: future.slice(1) })
  }

  existing(edits) {
    const { opened, selection } = this.state
    return selection.filter((k) => k < (opened?.position?.length ?? 0) || edits.particles[k])
  }

  // Another picture or another run is wanted. What is open stays until that one is there.
  wish(wanted) {
    const { run, picture } = this.state.opening ?? this.state
    this.set({ opening: { run, picture, ...wanted } })
  }

  // What was being done is put by, and what was put by for the new picture is taken up again.
  turn(change) {
    this.rest()
    const { state } = this, works = worksOf(state), next = { ...state, ...change }
    const { edits, past, future } = works[workKey(next)] ?? UNTOUCHED
    const same = workKey(next) === workKey(state)
    this.set({ works, edits, past, future, selection: same ? state.selection : [], ...change })
  }

  say(note) {
    this.set({ note })
  }
}

export const UNTOUCHED = { edits: NOTHING, past: [], future: [] }

// Runs go by their names: their numbers differ after a restart.
const workKey = ({ runs, run, picture }) => keyOf(runs[run]?.name, picture)
const keyOf = (name, picture) => `${name}\n${picture}`

// What was done to any picture, the open one too.
export function worksOf(state) {
  const { run, runs, picture, edits, past, future, since } = state, works = { ...state.works }
  if (!picture) return works
  delete works[workKey(state)]
  const steps = since === null || since === edits ? past : [...past, since]
  if (!isNothing(edits) || steps.length || future.length) works[workKey(state)] = { run: runs[run]?.name, picture, edits, past: steps, future }
  return works
}

export const workOf = (state, run, picture) => worksOf(state)[keyOf(state.runs[run]?.name, picture)] ?? UNTOUCHED

// The works with these edits of one picture; what was done to it before can be had back by undo.
export function withWork(works, name, picture, edits) {
  const { [keyOf(name, picture)]: before = UNTOUCHED } = works
  if (JSON.stringify(before.edits) === JSON.stringify(edits)) return works
  const past = isNothing(before.edits) ? before.past : [...before.past, before.edits]
  return { ...works, [keyOf(name, picture)]: { run: name, picture, edits, past, future: [] } }
}
