// The things that are followed in the open film: asked for once, and got bit by bit.

import { announce } from "../draw.js"
import { keep } from "../kept.js"

const PAUSE = 250 // milliseconds between two questions
const KEPT = 8 // films

// In the state: tracks = { key, frames, done, finished, things }, things of each frame [number, row, column, seen], in pixels of the picture.
export class Tracks {
  constructor(store, server, player) {
    Object.assign(this, { store, server, player, known: new Map(), key: "" })
    player.listen(() => this.turned())
    store.listen((now, before) => now.following && !before.following && !this.busy && this.follow()) // by a link
  }

  keyOf({ film }) {
    const { runs, run, renewed } = this.store.state
    return film && runs[run]?.film?.follows ? JSON.stringify([runs[run].name, renewed, film.name]) : ""
  }

  // Another film: what is known of it is shown, and what is wanted of all films is asked for.
  turned() {
    const key = this.keyOf(this.player)
    if (key === this.key) return
    this.key = key
    this.store.set({ tracks: this.known.get(key) ?? null })
    if (key && this.store.state.following && !this.store.state.tracks?.finished) this.follow()
  }

  async follow() {
    const { store, server, player, key } = this, { run } = store.state, { film } = player
    if (!key || this.busy === key) return
    this.busy = key
    store.set({ following: true, tracks: this.known.get(key) ?? { key, frames: film.count, done: 0, finished: false, things: [] } })
    let ask = "follow"
    try {
      await this.bring(film, run, key)
      while (this.busy === key && store.state.following) {
        const facts = await server.ask(ask, { run, clip: film.name, after: this.known.get(key)?.things.length ?? 0 })
        ask = "followed"
        if (this.add(key, facts).finished) break
        await new Promise((done) => setTimeout(done, PAUSE))
      }
    } catch (problem) {
      if (this.busy === key) this.fail(problem.message)
    }
    if (this.busy === key) this.busy = null
  }

  // Of a person's own film all frames have to be at the studio.
  async bring(film, run, key) {
    for (let first = 0; film.own && first < film.count; first += 16) {
      if (this.key !== key || !this.store.state.following) return
      await film.own.bring({ run, clip: film.name, first, count: Math.min(16, film.count - first) }, this.server)
      this.store.set({ tracks: { ...this.store.state.tracks, read: Math.min(first + 16, film.count) } })
    }
  }

  add(key, { frames, done, finished, problem_of_tracks, things }) {
    if (problem_of_tracks) throw new Error(problem_of_tracks)
    const before = this.known.get(key)?.things ?? [], tracks = { key, frames, done, finished, things: [...before, ...things] }
    keep(this.known, key, tracks, KEPT)
    if (key === this.key) this.store.set({ tracks })
    if (finished && key === this.key) announce(`${lanesOf(tracks).length} things followed through ${frames} frames`)
    return tracks
  }

  fail(message) {
    this.store.set({ tracks: null, following: false, note: message })
    this.known.delete(this.key)
  }

  async stop() {
    this.busy = null
    this.known.delete(this.key)
    this.store.set({ following: false, tracks: null })
    announce("no longer followed")
    await this.server.ask("unfollow", { run: this.store.state.run }).catch(() => null)
  }
}

const lanesBefore = new WeakMap()

// Of each thing, in the order in which they appear: [{ number, parts: [{ first, last, seen }] }].
export function lanesOf(tracks) {
  if (!tracks) return []
  if (lanesBefore.has(tracks)) return lanesBefore.get(tracks)
  const lanes = new Map()
  for (const [frame, things] of tracks.things.entries())
    for (const [number, , , seen] of things) {
      if (!lanes.has(number)) lanes.set(number, { number, parts: [] })
      const { parts } = lanes.get(number), part = parts.at(-1)
      if (part?.last === frame - 1 && part.seen === seen) part.last = frame
      else parts.push({ first: frame, last: frame, seen })
    }
  const all = [...lanes.values()]
  lanesBefore.set(tracks, all)
  return all
}
