// The page: one state record, the panels that change it, and the order in which things begin.

import { actionsOf, listenToKeys } from "./actions.js"
import { make } from "./draw.js"
import { Beside } from "./beside.js"
import { Hand } from "./hand.js"
import { fromHash, toHash } from "./links.js"
import { Opener, firstReady, rejoined, takeUp } from "./opening.js"
import { Developer } from "./picture.js"
import { PANELS } from "./panels/all.js"
import { helpPanel } from "./panels/help.js"
import { roving } from "./roving.js"
import { connect } from "./server.js"
import { Stage } from "./stage.js"
import { Store } from "./store.js"
import { Truth } from "./truth.js"
import { filmActions } from "./video/actions.js"
import { Future } from "./video/future.js"
import { Player } from "./video/player.js"
import { Screen } from "./video/screen.js"
import { Tracks } from "./video/tracks.js"

if (location.search) history.replaceState(null, "", location.pathname + location.hash) // a link from here carries no token: the cookie has it
const store = new Store()
const panels = await Promise.all(PANELS.map((name) => import(`./panels/${name}.js`))) // before the server speaks
const server = await connect(greeted, lost)
const stage = new Stage(store), developer = new Developer(store, server)
const player = new Player(store, server), tracks = new Tracks(store, server, player), future = new Future(store, server, player)
const actions = { ...actionsOf(store), ...filmActions(store, player, tracks, future) }
new Hand(store, stage)
new Beside(store, server)
new Opener(store, server)
new Truth(store, server)
new Screen(store, stage, player)
listenToKeys(store, actions, helpPanel(actions))
for (const { panel } of panels) panel(store, server, actions, { player, tracks, future })
header()
tabs()
store.listen(follow)
addEventListener("hashchange", () => location.hash !== toHash(store.state) && resume())
window.motes = { store, developer, server, player, tracks, future } // for the curious, and for tests

// The server says what is open; also after it was away.
function greeted(facts) {
  const { state } = store, again = state.connected === null && (state.picture || state.opened)
  const { runs, numberOf } = rejoined(state.runs, facts.runs)
  store.set({ session: facts.session, runs, folder: facts.pictures, numbered: facts.numbered ?? [], live: server?.live ?? Boolean(facts.session), connected: true, note: "", ...(again && renumbered(state, numberOf)) })
  if (again) store.wish({})
  else queueMicrotask(resume)
}

// Runs are known by their numbers, which differ after a restart.
function renumbered({ run, others, beside, opened, clip }, numberOf) {
  return {
    run: numberOf(run), others: others.map(numberOf), opened: opened && { ...opened, run: numberOf(opened.run) }, opening: null,
    beside: beside.map((pin) => ({ ...pin, run: numberOf(pin.run) })), clip: clip && { ...clip, run: numberOf(clip.run) },
  }
}

function lost(reason) {
  store.set({ connected: null, opening: null, note: reason || "the studio does not answer; is it still running?" })
}

// What a link says; without one, the first run that has a model.
function resume() {
  const kept = fromHash(location.hash, store.state.runs)
  if (kept?.picture) takeUp(store, kept)
  else store.wish({ run: firstReady(store.state), picture: "" })
}

// The address follows what is shown.
function follow(now) {
  if (!now.opened || now.dragging || now.opening) return
  const hash = toHash(now)
  if (location.hash !== hash) history.replaceState(null, "", hash)
}

function header() {
  const select = document.getElementById("run"), facts = document.getElementById("facts"), note = document.getElementById("note"), place = document.getElementById("history")
  select.addEventListener("change", () => choose(Number(select.value)))
  const buttons = ["undo", "redo", "reset"].map((name) => [actions[name], make("button", { type: "button", id: name, class: "quiet", title: actions[name].key, onclick: () => actions[name].does() }, actions[name].name)])
  place.append(...buttons.map(([, button]) => button))
  store.listen((now, before) => {
    if (now.runs !== before.runs) select.replaceChildren(...now.runs.map((run, n) => make("option", { value: String(n) }, run.gone ? `${run.name} (not open)` : run.name)))
    const run = (now.opening ?? now).run
    select.value = String(run)
    const { model, size, problem } = now.runs[run] || {}
    facts.textContent = model ? `${model}, ${size?.join(" × ")} px` : problem ? "no checkpoint yet" : ""
    note.textContent = now.note
    for (const [action, button] of buttons) button.disabled = !action.can()
  })
}

// Another run looks at the same picture where it can: pictures of a shelf are everybody's.
function choose(run) {
  const { opening, picture } = store.state
  store.wish({ run, picture: opening?.picture || picture })
}

function tabs() {
  const place = document.getElementById("tabs"), names = { edit: ["Edit", "inspector"], watch: ["Watch", "watch"], compare: ["Compare", "compare"] }
  const buttons = Object.entries(names).map(([tab, [title, id]]) => [tab, id, make("button", { type: "button", role: "tab", id: `tab-${tab}`, "aria-controls": id, onclick: () => store.set({ tab }) }, title)])
  place.append(...buttons.map(([, , button]) => button))
  const mark = roving(place, { choosing: true })
  const draw = ({ tab: now, runs, run, live }) => {
    for (const [tab, id, button] of buttons) {
      button.setAttribute("aria-selected", String(tab === now))
      button.hidden = tab === "watch" && !(live && runs[run]?.watchable) || tab === "compare" && runs.length < 2
      document.getElementById(id).hidden = tab !== now
    }
    mark()
  }
  store.listen(draw)
  draw(store.state)
}
