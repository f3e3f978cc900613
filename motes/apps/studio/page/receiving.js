// What is dropped, pasted or chosen: pictures, videos, and saved sessions.

import { readKept } from "./links.js"
import { takeUp } from "./opening.js"
import { numberedAmong, readNumbered, readVideo } from "./video/own.js"

const MOST = 8 // pictures at once
const SESSION = "motes session"

export class Receiver {
  constructor(store, server) {
    Object.assign(this, { store, server })
    this.views = new Map() // a person's own pictures, for the small views
  }

  async take(files) {
    const frames = numberedAmong([...files])
    if (frames) return this.attempt(() => this.film(() => readNumbered(frames)))
    for (const file of [...files].slice(0, MOST)) await this.attempt(() => this.takeOne(file), file.name)
  }

  async attempt(job, name = "these frames") {
    try {
      this.store.say(`reading ${name || "picture"} …`)
      await job()
    } catch (problem) {
      this.store.say(problem.message)
    }
  }

  takeOne(file) {
    if (file.type.startsWith("image/")) return this.picture(file)
    if (file.type.startsWith("video/")) return this.film(() => readVideo(file))
    if (file.type === "application/json" || file.name.endsWith(".json")) return this.session(file)
    throw new Error(`${file.name || "this"} cannot be opened here; drop pictures, a video, or a saved session (.json)`)
  }

  async picture(file) {
    const picture = await this.keep(file)
    this.store.set({ note: "" })
    this.store.wish({ picture })
  }

  // A film is known by its first frame.
  async film(read) {
    const { store, server } = this, film = await read()
    const picture = await film.picture(0, server)
    this.add(picture, server.files.get(picture))
    const note = film.whole ? "" : `${film.name} is long; its first ${film.count.toLocaleString("en")} frames are here`
    store.set({ films: [...store.state.films.filter(({ names }) => names[0] !== picture), film], note })
    store.wish({ picture })
  }

  async keep(file) {
    const picture = await this.server.upload(file)
    this.add(picture, file)
    return picture
  }

  add(picture, file) {
    const { store } = this
    this.views.set(picture, URL.createObjectURL(file))
    store.set({ dropped: [...new Set([picture, ...store.state.dropped])] })
  }

  async session(file) {
    const { store } = this, kept = await file.text().then(JSON.parse).catch(() => null)
    if (kept?.motes !== SESSION) throw new Error(`${file.name} is no session that the studio saved`)
    for (const [name, address] of Object.entries(kept.own ?? {})) await this.keep(await fileOf(address, name))
    takeUp(store, readKept(kept.shown, store.state.runs))
    store.say("")
  }
}

// The files that are dropped; of a folder all that lie in it.
export async function droppedFiles({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean)
  if (!entries.some((entry) => entry.isDirectory)) return [...files]
  const all = []
  for (const entry of entries) all.push(...(entry.isDirectory ? await filesIn(entry) : [await new Promise((done, fail) => entry.file(done, fail))]))
  return all
}

async function filesIn(folder) {
  const reader = folder.createReader(), files = []
  for (;;) {
    const some = await new Promise((done, fail) => reader.readEntries(done, fail)) // a hundred at a time
    if (!some.length) return files
    for (const entry of some) if (entry.isFile && !entry.name.startsWith(".")) files.push(await new Promise((done, fail) => entry.file(done, fail)))
  }
}

// What a saved session holds: all that a link does, and a person's own pictures.
export async function sessionOf(shown, files) {
  const text = JSON.stringify(shown), own = {}
  for (const [name, file] of files) if (text.includes(name)) own[name] = await addressOf(file)
  return JSON.stringify({ motes: SESSION, shown, own })
}

async function addressOf(file) {
  const bytes = new Uint8Array(await file.arrayBuffer())
  let text = ""
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return `data:${/^image\/[\w+.-]+$/.test(file.type) ? file.type : "image/png"};base64,${btoa(text)}`
}

async function fileOf(address, name) {
  const [, type, text] = /^data:(image\/[\w+.-]+);base64,([\w+/=]*)$/.exec(address) ?? []
  if (!type) throw new Error(`the session's picture ${name.slice(0, 80)} cannot be read`)
  return new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], name, { type })
}
