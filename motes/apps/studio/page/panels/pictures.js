// The left column: pictures to open, by click, drop, paste, or from the camera.

import { MOST } from "../beside.js"
import { make, put, shape } from "../draw.js"
import { hasMore, showMore, sort } from "../held.js"
import { Receiver, droppedFiles } from "../receiving.js"
import { roving } from "../roving.js"
import { workOf } from "../store.js"
import { filmOf } from "../video/films.js"

export function panel(store, server, actions) {
  const place = document.getElementById("pictures"), mark = roving(place)
  const receiver = new Receiver(store, server), take = (files) => receiver.take(files)

  const chooser = make("input", { type: "file", accept: "image/*,video/*,.json", multiple: true, hidden: true, onchange: () => take(chooser.files) })
  const tile = (title, path, does) => make("button", { type: "button", class: "add", title, "aria-label": title, onclick: does }, shape("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, shape("path", { d: path })))
  const adds = [
    tile("Open pictures, a video or a saved session; or drop them anywhere, or paste a picture", "M12 5v14M5 12h14", () => chooser.click()),
    ...(navigator.mediaDevices ? [tile("Take one with the camera", "M4 8h3l2-3h6l2 3h3v11H4zM12 10a3.5 3.5 0 1 0 .01 0", () => shoot(take, store))] : []),
  ]
  addEventListener("dragover", (event) => {
    event.preventDefault()
    document.body.classList.add("dropping")
  })
  addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dropping"))
  addEventListener("drop", (event) => {
    event.preventDefault()
    document.body.classList.remove("dropping")
    droppedFiles(event.dataTransfer).then(take)
  })
  addEventListener("paste", (event) => take(event.clipboardData.files))

  // A clip is open whichever of its frames is.
  function open(name) {
    const { picture } = store.state
    return name === picture || name === filmOf(store.state, picture)?.pictureOf(0)
  }

  // With Ctrl or Shift it is laid beside.
  function choose({ ctrlKey, metaKey, shiftKey }, picture) {
    const { run, beside, sheets } = store.state
    if (!(ctrlKey || metaKey || shiftKey)) store.wish({ picture })
    else if (sheets.length < MOST) store.set({ beside: [...beside, { ...workOf(store.state, run, picture), run, picture }] })
  }

  // Small pictures of what a model made up are those that the page drew.
  function source(name) {
    const { opened, drawn } = store.state
    if (name.startsWith("sampled/") && opened?.picture === name && !receiver.views.has(name)) {
      const canvas = make("canvas", {})
      put(canvas, drawn, opened.columns)
      receiver.views.set(name, canvas.toDataURL())
    }
    return receiver.views.get(name) || server.thumb(name)
  }

  const nearness = (name) => {
    const { runs, run } = store.state, { worstFirst, decibels } = runs[run] || {}
    return worstFirst && decibels[name] !== undefined ? make("span", { class: "near" }, `${decibels[name].toFixed(1)} dB`) : null
  }

  // What can be done with a run's held-out pictures beyond opening one.
  function beyond({ runs, run, live }) {
    if (!live || !(runs[run]?.clips > 1)) return []
    const order = make("button", { type: "button", class: runs[run].worstFirst ? "on wide" : "wide", "aria-pressed": String(Boolean(runs[run].worstFirst)), title: "Those first that are drawn worst", onclick: () => sort(store, server, run).catch(({ message }) => store.say(message)) }, "Worst first")
    const more = hasMore(runs[run]) ? make("button", { type: "button", class: "wide", id: "more", onclick: () => showMore(store, run) }, `More of ${runs[run].clips.toLocaleString("en")}`) : null
    return [order, more].filter(Boolean)
  }

  function thumbs(names, title, first = []) {
    if (!names.length && !first.length) return []
    const buttons = names.map((name, n) => make("button", { type: "button", class: open(name) ? "on" : "", "aria-label": `${title} ${n + 1}`, "aria-current": String(open(name)), title: store.state.films.find(({ names }) => names[0] === name)?.name ?? name, onclick: (event) => choose(event, name) },
      make("img", { alt: "", loading: "lazy", draggable: false, src: source(name) }), nearness(name)))
    return [make("h2", {}, title), make("div", { class: "thumbs" }, first, buttons)]
  }

  function draw(state) {
    const { runs, run, folder, dropped, sampled, live } = state
    const kept = place.scrollTop
    place.replaceChildren(
      chooser, ...thumbs(dropped, "Yours", live ? adds : []), ...thumbs(sampled, "Made up"), ...thumbs(runs[run]?.pictures || [], "Held out"), ...beyond(state), ...thumbs(folder, "Folder"),
    )
    place.scrollTop = kept
    mark()
  }

  store.listen((now, before) => {
    if (["runs", "run", "folder", "dropped", "sampled", "films", "picture", "live"].some((name) => now[name] !== before[name])) draw(now)
  })
}

// One frame of the camera, which is switched off again.
async function shoot(take, store) {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: true })
    const video = make("video", { muted: true, playsInline: true })
    video.srcObject = stream
    await video.play()
    await new Promise((rested) => setTimeout(rested, 400)) // the first frames are dark
    const canvas = make("canvas", { width: video.videoWidth, height: video.videoHeight })
    canvas.getContext("2d").drawImage(video, 0, 0)
    for (const track of stream.getTracks()) track.stop()
    canvas.toBlob((blob) => take([new File([blob], "camera.png", { type: "image/png" })]))
  } catch {
    store.say("there is no camera, or the browser may not use it")
  }
}
