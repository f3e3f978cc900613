// What can be done, each by a button and a key; the one list that buttons, keys and the help are made from.

import { NOTHING, added, forgotten, moved, particles, resized, restacked, taken, withLook, withPresence } from "./edits.js"
import { SHOWS } from "./store.js"
import { MOST, pinned } from "./beside.js"
import { shown } from "./marks.js"
import { WHOLE, panned, zoomed } from "./view.js"

const STEP = 1.1 // larger or smaller by so much
const PAN = 0.1 // of what is seen
const NUDGE = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }

export function actionsOf(store) {
  const now = () => store.state
  const offers = () => now().runs[now().run]?.offers || {}
  const chosen = () => now().opened?.kind === "particles" && now().selection.length > 0
  const change = (edit) => store.edit(edit(now()))
  const actions = {
    undo: { key: "mod+z", name: "Undo", can: () => now().past.length, does: () => store.undo() },
    redo: { key: "mod+shift+z", name: "Redo", can: () => now().future.length, does: () => store.redo() },
    reset: { key: "mod+backspace", name: "Reset all", can: () => now().edits !== NOTHING, does: () => store.edit(NOTHING) },
    resetOne: { key: "r", name: "Reset", can: chosen, does: () => change(({ opened, edits, selection }) => forgotten(opened, edits, selection)) },
    duplicate: { key: "d", name: "Duplicate", can: chosen, does: () => duplicate(store, offers()) },
    remove: { key: "delete", name: "Delete", can: () => chosen() && offers().presence, does: () => change(({ edits, selection }) => withPresence(edits, selection, 0)) },
    copy: { key: "c", name: "Copy", can: chosen, does: () => copy(store) },
    pasteLook: { key: "l", name: "Paste look", can: () => chosen() && now().live && now().clip?.run === now().run && now().opened.features[0]?.length, does: () => change(({ opened, edits, selection, clip }) => withLook(opened, edits, selection, clip.one)) },
    paste: { key: "v", name: "Paste particle", can: () => now().opened && now().clip?.run === now().run && (now().live || now().clip.picture === now().picture), does: () => paste(store, offers()) },
    front: { key: "f", name: "To the front", can: () => chosen() && offers().layers, does: () => change(({ opened, edits, selection }) => restacked(opened, edits, selection, -1)) },
    back: { key: "b", name: "To the back", can: () => chosen() && offers().layers, does: () => change(({ opened, edits, selection }) => restacked(opened, edits, selection, 1)) },
    larger: { key: "+", name: "Larger", can: () => chosen() && offers().sizes, does: () => change(({ opened, edits, selection }) => resized(opened, edits, selection, [STEP, STEP])) },
    smaller: { key: "-", name: "Smaller", can: () => chosen() && offers().sizes, does: () => change(({ opened, edits, selection }) => resized(opened, edits, selection, [1 / STEP, 1 / STEP])) },
    all: { key: "mod+a", name: "Choose all that are there", can: () => now().opened?.kind === "particles", does: () => store.set({ selection: particles(now().opened, now().edits).filter(shown).map((one) => one.k) }) },
    none: { key: "escape", name: "Choose none", can: () => true, does: () => store.set({ selection: [] }) },
    next: { key: "]", name: "Next particle", can: () => now().opened?.kind === "particles", does: () => step(store, 1) },
    previous: { key: "[", name: "Previous particle", can: () => now().opened?.kind === "particles", does: () => step(store, -1) },
    beside: { key: "k", name: "Put this beside", can: () => now().opened && now().sheets.length < MOST, does: () => store.set({ beside: [...now().beside, pinned(now())] }) },
    nextPicture: { key: "pagedown", name: "Next picture", can: () => true, does: () => turn(store, 1) },
    previousPicture: { key: "pageup", name: "Previous picture", can: () => true, does: () => turn(store, -1) },
  }
  const look = (change) => store.set({ view: change(now().view) })
  Object.assign(actions, {
    nearer: { key: ".", name: "Nearer; also by wheel and by two fingers", can: () => now().opened, does: () => look((view) => zoomed(view, 1.5)) },
    farther: { key: ",", name: "Farther", can: () => now().opened, does: () => look((view) => zoomed(view, 1 / 1.5)) },
    whole: { key: "0", name: "The whole picture", can: () => now().opened, does: () => look(() => WHOLE) },
  })
  SHOWS.forEach((show, n) => (actions[show] = { key: String(n + 1), name: `Show ${show === "drawn" ? "the edited picture" : show}`, can: () => now().opened, does: () => store.set({ show }) }))
  for (const [name, key] of [["marks", "p"], ["numbers", "n"], ["doubted", "u"], ["boxes", "x"], ["masks", "m"], ["proposals", "o"], ["truth", "t"]]) {
    actions[name] = { key, name: `Draw ${{ marks: "particles", doubted: "doubted particles", truth: "what is truly there" }[name] || name}`, can: () => true, does: () => store.set({ over: { ...now().over, [name]: !now().over[name] } }) }
  }
  return actions
}

function duplicate(store, offers) {
  let { opened, edits, selection } = store.state
  const fresh = []
  for (const source of selection) {
    const [next, k] = added(opened, edits, taken(opened, edits, source), offers, [0.12, 0.12])
    if (k < 0) {
      store.say("this model has no free particle; delete one first")
      continue
    }
    edits = next
    fresh.push(k)
  }
  if (!fresh.length) return
  store.edit(edits)
  store.set({ selection: fresh })
}

function copy(store) {
  const { opened, edits, selection, run, picture } = store.state
  store.set({ clip: { run, picture, k: selection[0], one: taken(opened, edits, selection[0], picture) } })
  store.say(`particle ${selection[0]} is copied: L gives its look to others, V puts it down, here or in another picture`)
}

function paste(store, offers) {
  const { opened, edits, clip, picture } = store.state
  const here = clip.one.copy_of[0] === picture
  const one = here ? { ...clip.one, copy_of: ["", clip.one.copy_of[1]] } : clip.one
  const [next, k] = added(opened, edits, one, offers, here ? [0.12, 0.12] : [0, 0])
  if (k < 0) return store.say("this model has no free particle; delete one first")
  store.edit(next)
  store.set({ selection: [k] })
}

function step(store, by) {
  const { opened, edits, selection } = store.state, some = particles(opened, edits).filter(shown)
  const ring = (some.length ? some : particles(opened, edits)).map((one) => one.k)
  const at = ring.indexOf(selection[0])
  store.set({ selection: [ring[(at + by + (at < 0 && by < 0 ? 1 : 0) + ring.length) % ring.length]] })
}

function turn(store, by) {
  const { runs, folder, dropped, sampled, opening } = store.state, { run, picture } = opening ?? store.state
  const all = [...dropped, ...sampled, ...(runs[run]?.pictures || []), ...folder]
  if (all.length) store.wish({ picture: all[(all.indexOf(picture) + by + all.length) % all.length] })
}

export const shownKey = (key) => key.replace("mod", navigator.platform.includes("Mac") ? "⌘" : "Ctrl").split(/\+(?=.)/).map((part) => part[0].toUpperCase() + part.slice(1)).join(" ")

// Keys on the whole page, but not while something is typed. Space, held, shows the picture as it was.
export function listenToKeys(store, actions, help) {
  let nudging = false
  addEventListener("keydown", (event) => {
    const field = event.target.closest?.("input:not([type=range]), select, textarea, dialog")
    if (field || (event.target.type === "range" && /^(Arrow|Page|Home|End)/.test(event.key))) return // they have these keys themselves
    if (event.key === "?") return help()
    const control = event.target.closest?.("button")
    if (event.key === " " && !control) {
      event.preventDefault()
      if (!store.state.held) store.set({ held: true })
      return
    }
    if (event.key in NUDGE && actions.resetOne.can() && !event.target.closest?.("#strip, #views, .tabs, #pictures")) {
      event.preventDefault()
      nudging = true
      const { opened, edits, selection } = store.state, pixels = event.shiftKey ? 5 : event.altKey ? 0.25 : 1
      const [row, column] = NUDGE[event.key]
      store.set({ dragging: true })
      return store.passing(moved(opened, edits, selection, [(row * pixels * 2) / opened.rows, (column * pixels * 2) / opened.columns]))
    }
    if (event.key in NUDGE && store.state.view.zoom > 1 && !event.target.closest?.("#strip, #views, .tabs, #pictures")) {
      event.preventDefault()
      return store.set({ view: panned(store.state.view, NUDGE[event.key].map((step) => step * PAN)) })
    }
    const name = (event.ctrlKey || event.metaKey ? "mod+" : "") + (event.shiftKey && event.key.length > 1 || event.shiftKey && (event.ctrlKey || event.metaKey) ? "shift+" : "") + event.key.toLowerCase()
    const same = { backspace: "delete", "mod+y": "mod+shift+z", "=": "+" }[name] || name
    const action = Object.values(actions).find((one) => one.key === same)
    if (!action || !action.can()) return
    event.preventDefault()
    action.does()
  })
  // A button that was clicked does not keep the keys: Space is for the picture then.
  addEventListener("click", (event) => event.detail > 0 && document.activeElement?.matches("main button, header button") && document.activeElement.blur())
  const rest = (event) => {
    if (event.key === " " || event.type === "blur") store.state.held && store.set({ held: false })
    if (nudging && (event.type === "blur" || event.key in NUDGE)) {
      nudging = false
      store.rest()
    }
  }
  addEventListener("keyup", rest)
  addEventListener("blur", rest)
}
