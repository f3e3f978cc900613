// The page: one state record, the panels that change it, and the order in which things begin.

import { actionsOf, listenToKeys } from "./actions.js"
import { make, rgba } from "./draw.js"
import { NOTHING } from "./edits.js"
import { Beside, pinned } from "./beside.js"
import { Hand } from "./hand.js"
import { Developer, layersOf } from "./picture.js"
import { PANELS } from "./panels/all.js"
import { helpPanel } from "./panels/help.js"
import { connect } from "./server.js"
import { Stage } from "./stage.js"
import { Store, fromHash, renumbered, toHash } from "./store.js"

if (location.search) history.replaceState(null, "", location.pathname + location.hash) // a link from here carries no token: the cookie has it
const store = new Store()
const panels = await Promise.all(PANELS.map((name) => import(`./panels/${name}.js`))) // before the server speaks
const server = await connect(greeted, lost)
const stage = new Stage(store), actions = actionsOf(store), developer = new Developer(store, server)
new Hand(store, stage)
new Beside(store, server, swap)
listenToKeys(store, actions, helpPanel(actions))
for (const { panel } of panels) panel(store, server, actions)
header()
tabs()
store.listen(follow)
addEventListener("hashchange", () => location.hash !== toHash(store.state) && resume())
window.motes = { store, developer, server } // for the curious, and for tests

// The server says what is open; also after it was away.
function greeted(facts) {
  const again = store.state.connected === null && store.state.picture, known = store.state.runs
  const runs = facts.runs.map((run) => ({ ...known.find(({ name }) => name === run.name), ...run }))
  const numbers = again ? renumbered(store.state, facts.runs) : {}, here = numbers.run >= 0
  store.set({ session: facts.session, runs, folder: facts.pictures, live: server?.live ?? Boolean(facts.session), connected: true, note: "", ...(here ? numbers : { opened: null }) })
  if (again && here) return open(store.state, false)
  queueMicrotask(resume)
}

function lost(reason) {
  store.set({ connected: null, note: reason || "the studio does not answer; is it still running?" })
}

function resume() {
  const { runs } = store.state, kept = fromHash(location.hash, runs)
  const ready = Math.max(runs.findIndex((run) => run.ready), 0), missing = kept?.missing
  const change = kept?.picture && !missing ? kept : { run: ready, picture: "" }
  store.set({ ...change, opened: null, layers: null, past: [], future: [], tab: runs[change.run]?.ready ? store.state.tab : "watch" })
  open(store.state, Boolean(missing)).then(() => missing && store.say(`${missing} is not open here; this is ${runs[change.run]?.name}`))
}

// What follows from a change of the state.
function follow(now, before) {
  if (now.opened && (now.picture !== before.picture || now.run !== before.run) && (now.picture !== now.opened.picture || now.run !== now.opened.run)) open(now, true)
  if (now.renewed !== before.renewed) open(now, false)
  if (now.opened && !now.dragging) {
    const hash = toHash(now)
    if (location.hash !== hash) history.replaceState(null, "", hash)
  }
}

// Of many runs only those that are looked at are loaded.
async function enter(run) {
  if (store.state.runs[run]?.pictures) return
  const { facts } = await server.ask("enter", { run })
  store.set({ runs: changed(run, facts) })
}

const changed = (run, facts) => store.state.runs.map((one, n) => (n === run ? { ...one, ...facts } : one))

// Sliders have their ranges a moment later: the server encodes many pictures for them.
async function learnRanges(run) {
  if (!server.live || store.state.runs[run].ranges !== undefined) return
  store.set({ runs: changed(run, { ranges: null }) })
  try {
    const { ranges } = await server.ask("ranges", { run })
    store.set({ runs: changed(run, { ranges }) })
  } catch {
    store.set({ runs: changed(run, { ranges: undefined }) }) // asked again with the next picture
  }
}

async function open({ run, picture }, afresh) {
  if (afresh) store.set({ edits: NOTHING, past: [], future: [], selection: [], show: "drawn" })
  try {
    await enter(run)
    if (!picture && !store.state.picture) {
      picture = store.state.runs[run]?.pictures[0] || store.state.folder[0] || ""
      store.set({ picture })
    }
    if (!picture) return
    const facts = await server.ask("open", { run, picture })
    if (store.state.run !== run || store.state.picture !== picture) return
    const [rows, columns] = facts.image.shape, drawn = rgba(facts.drawn)
    const opened = { ...facts, rows, columns, pixels: rgba(facts.image) }
    store.set({ opened, layers: layersOf(facts), before: drawn, drawn, exact: true, note: "" })
    await learnRanges(run)
  } catch (problem) {
    store.set({ opened: null, note: problem.message })
  }
}

function header() {
  const select = document.getElementById("run"), facts = document.getElementById("facts"), note = document.getElementById("note"), place = document.getElementById("history")
  select.addEventListener("change", () => choose(Number(select.value)))
  const buttons = ["undo", "redo", "reset"].map((name) => [actions[name], make("button", { type: "button", id: name, class: "quiet", title: actions[name].key, onclick: () => actions[name].does() }, actions[name].name)])
  place.append(...buttons.map(([, button]) => button))
  store.listen((now, before) => {
    if (now.runs !== before.runs) select.replaceChildren(...now.runs.map((run, n) => make("option", { value: String(n) }, run.name)))
    select.value = String(now.run)
    const { model, size, problem } = now.runs[now.run] || {}
    facts.textContent = model ? `${model}, ${size?.join(" × ")} px` : problem ? "no checkpoint yet" : ""
    note.textContent = now.note
    for (const [action, button] of buttons) button.disabled = !action.can()
  })
}

// Another run looks at the same picture where it can: pictures of a shelf are everybody's.
function choose(run) {
  const { runs, picture } = store.state
  store.set({ run, picture, tab: runs[run].ready ? store.state.tab : "watch" })
  if (!store.state.opened && runs[run].ready) open(store.state, true)
}

// What lies beside is worked on, and what was worked on lies beside; each keeps its edits and its undo.
function swap(pin) {
  const { beside } = store.state, mine = pinned(store.state)
  store.set({ ...beside[pin], beside: beside.map((one, n) => (n === pin ? mine : one)), selection: [], opened: null, layers: null })
  open(store.state, false)
}

function tabs() {
  const place = document.getElementById("tabs"), names = { edit: ["Edit", "inspector"], watch: ["Watch", "watch"], compare: ["Compare", "compare"] }
  const buttons = Object.entries(names).map(([tab, [title, id]]) => [tab, id, make("button", { type: "button", role: "tab", id: `tab-${tab}`, "aria-controls": id, onclick: () => store.set({ tab }) }, title)])
  place.append(...buttons.map(([, , button]) => button))
  const draw = ({ tab: now, runs, run, live }) => {
    for (const [tab, id, button] of buttons) {
      button.setAttribute("aria-selected", String(tab === now))
      button.hidden = tab === "watch" && !(live && runs[run]?.watchable) || tab === "compare" && runs.length < 2
      document.getElementById(id).hidden = tab !== now
    }
  }
  store.listen(draw)
  draw(store.state)
}
