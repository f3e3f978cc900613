// Which picture of which run is open. What is open stays, under its own name, until the next one is there, and where that fails.

import { rgba } from "./draw.js"
import { fitting } from "./links.js"
import { layersOf } from "./picture.js"
import { pinned } from "./beside.js"
import { withWork, worksOf } from "./store.js"

export class Opener {
  constructor(store, server) {
    Object.assign(this, { store, server })
    store.listen((now, before) => {
      if (now.opening && now.opening !== before.opening) this.open(now.opening)
      else if (now.renewed !== before.renewed && now.picture) store.wish({})
      else if (now.renewed !== before.renewed) store.wish({ picture: "" })
    })
  }

  // wanted: { run, picture, pin, note }: "" is the first picture that there is; a pin of those beside changes places with what is open.
  async open(wanted) {
    const { store, server } = this, { run } = wanted
    if (!store.state.runs[run]?.ready) return this.watchOnly(wanted)
    try {
      await this.enter(run)
      const picture = wanted.picture || this.first(run)
      if (!picture) return this.isWanted(wanted) && store.turn({ run, picture: "", opened: null, opening: null, note: wanted.note ?? "" })
      const facts = await server.ask("open", { run, picture })
      if (this.isWanted(wanted)) this.show(facts, { ...wanted, picture })
    } catch (problem) {
      if (this.isWanted(wanted)) this.fail(wanted, problem.message)
      return
    }
    await this.learnRanges(run)
  }

  isWanted(wanted) {
    return this.store.state.opening === wanted
  }

  first(run) {
    const { runs, folder } = this.store.state
    return runs[run]?.pictures?.[0] || folder[0] || ""
  }

  show(facts, { run, picture, pin, selection, note = "" }) {
    const { store } = this, [rows, columns] = facts.image.shape, drawn = rgba(facts.drawn)
    const opened = { ...facts, rows, columns, pixels: rgba(facts.image) }
    const shown = { run, picture, opened, layers: layersOf(facts), before: drawn, drawn, exact: true, opening: null, note }
    store.turn({ ...shown, ...(selection && { selection }), ...this.swapped(pin) })
    const { edits } = store.state, fit = fitting(edits, opened)
    if (fit !== edits) store.set({ edits: fit, note: "some of what the link asks for cannot be done with this picture; it is left out" })
    store.set({ selection: store.existing(fit) })
  }

  // What lies beside is worked on, and what was worked on lies beside; each keeps its edits and its undo.
  swapped(pin) {
    if (!pin) return {}
    const { state } = this.store, beside = state.beside.map((one) => (one === pin ? pinned(state) : one))
    const later = worksOf(state)[`${state.runs[pin.run]?.name}\n${pin.picture}`]
    const lost = later && JSON.stringify(later.edits) !== JSON.stringify(pin.edits) // of the same picture, by undo
    return { beside, edits: pin.edits, past: lost ? [...later.past, later.edits] : pin.past, future: lost ? [] : pin.future }
  }

  // One sentence, and all stays as it was. A page that has nothing yet shows the first picture that can be opened.
  fail({ run, tried = [] }, note) {
    const { store } = this, { opened, runs } = store.state
    store.set({ opening: null, note })
    const others = [run, ...runs.keys()].filter((one) => runs[one]?.ready && !tried.includes(one))
    if (!opened && others.length && store.state.connected) store.wish({ run: others[0], picture: "", note, tried: [...tried, others[0]] })
  }

  // A run without a model has curves, and no picture.
  watchOnly({ run, note }) {
    const { store } = this, { runs } = store.state
    if (runs[run]?.gone || !runs[run]) return store.set({ opening: null, note: `${runs[run]?.name ?? "this run"} is not open in this studio; choose another run` })
    store.turn({ run, picture: "", opened: null, layers: null, drawn: null, opening: null, tab: "watch", note: note ?? "" })
  }

  // Of many runs only those that are looked at are loaded.
  async enter(run) {
    const known = this.store.state.runs[run]
    if (known?.pictures && !known.stale) return
    const { facts } = await this.server.ask("enter", { run })
    this.store.learn(run, { ...facts, stale: false })
  }

  // Sliders have their ranges a moment later: the server encodes many pictures for them.
  async learnRanges(run) {
    if (!this.server.live || this.store.state.runs[run].ranges !== undefined) return
    this.store.learn(run, { ranges: null })
    try {
      const { ranges } = await this.server.ask("ranges", { run })
      this.store.learn(run, { ranges })
    } catch {
      this.store.learn(run, { ranges: undefined }) // asked again with the next picture
    }
  }
}

// Takes up what a link or a saved session holds. What was done before in this page stays, by undo.
export function takeUp(store, { run, name, picture, edits, works, selection, others, beside, show, over, following, outlook }) {
  const { state } = store, isHere = ([of, at]) => state.opened && state.runs[state.run]?.name === of && state.picture === at
  const all = [...works, [name, picture, edits]], here = all.findLast(isHere)
  store.set({ works: all.filter((work) => !isHere(work)).reduce((known, work) => withWork(known, ...work), state.works), others, beside, show, over, following })
  if (here && JSON.stringify(here[2]) !== JSON.stringify(state.edits)) store.edit(here[2])
  if (run >= 0) store.wish({ run, picture, selection, outlook })
  else store.wish({ run: state.opened ? state.run : firstReady(state), picture: state.picture, note: `there is no run ${name.slice(0, 80)} in this studio` })
}

export const firstReady = ({ runs }) => Math.max(runs.findIndex((run) => run.ready), 0)

// The runs after a restart: those that are open now, in their order, then those that were looked at and are not there any more.
// Also where each of the former ones is now.
export function rejoined(known, fresh) {
  const runs = fresh.map((run) => {
    const before = known.find((one) => one.name === run.name)
    return before ? { ...before, ...run, gone: false, stale: Boolean(before.pictures), ranges: undefined } : run
  })
  const gone = known.filter((run) => !fresh.some((one) => one.name === run.name)).map((run) => ({ ...run, gone: true, ready: false, watchable: false }))
  const all = [...runs, ...gone]
  return { runs: all, numberOf: (n) => all.findIndex((run) => run.name === known[n]?.name) }
}
