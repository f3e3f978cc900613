// Frames of the open film as the model takes them, fetched before they are shown.

import { pictures } from "../draw.js"

const BLOCK = 16 // frames that are fetched at once
const BYTES = 96 * 2 ** 20 // of frames that are kept

export class Ring {
  constructor(server, arrived) {
    Object.assign(this, { server, arrived, frames: new Map(), key: "", at: 0, busy: false })
  }

  // The film that frames are fetched of, as a run's model takes them.
  use(run, film) {
    const key = film ? `${run} ${film.name}` : ""
    if (key === this.key) return
    Object.assign(this, { key, run, film })
    this.frames.clear()
  }

  get(n) {
    return this.frames.get(n)
  }

  // What is needed next is around this frame.
  want(at) {
    this.at = at
    this.next()
  }

  async next() {
    if (this.busy || !this.key) return
    const block = this.missing()
    if (!block) return
    this.busy = true
    const { key } = this
    try {
      await this.fetch(block)
      this.failed = null
    } catch (problem) {
      if (key === this.key) this.failed = problem.message
    }
    this.busy = false
    this.arrived()
    if (key !== this.key || !this.failed) this.next()
  }

  // The next frames that lack, from the wanted one on; those behind it last, for a film begins again.
  missing() {
    const { count } = this.film, room = Math.min(count, this.room ?? count)
    for (let ahead = 0; ahead < room; ahead++) {
      const n = (this.at + ahead) % count
      if (this.frames.has(n)) continue
      let length = 1
      const most = ahead ? BLOCK : Math.ceil(BLOCK / 4) // what is waited for comes sooner
      while (length < most && ahead + length < room && n + length < count && !this.frames.has(n + length)) length++
      return { first: n, count: length }
    }
    return null
  }

  async fetch({ first, count }) {
    const { run, film, key } = this
    let facts = await this.server.ask("frames", { run, clip: film.name, first, count })
    if (facts.missing) facts = await this.sent(facts.missing, { run, film, first, count })
    if (key !== this.key || !facts.frames) return
    const [, rows, columns] = facts.frames.shape
    Object.assign(this, { rows, columns, room: Math.floor(BYTES / (rows * columns * 4)) })
    for (const [n, picture] of pictures(facts.frames).entries()) this.frames.set(first + n, picture)
    this.forget()
  }

  // A person's own frames go to the studio first.
  async sent(missing, { run, film, first, count }) {
    if (!film.own) throw new Error("these frames are not there")
    await film.own.send(missing, this.server)
    return this.server.ask("frames", { run, clip: film.name, first, count })
  }

  forget() {
    const { count } = this.film, far = (n) => (n - this.at + count) % count
    if (this.frames.size <= this.room) return
    for (const n of [...this.frames.keys()].sort((a, b) => far(b) - far(a)).slice(0, this.frames.size - this.room)) this.frames.delete(n)
  }
}
