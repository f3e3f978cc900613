// Plays a film, and shows any of its frames at once. A frame that is rested on is opened, to be edited.

import { filmOf } from "./films.js"
import { Ring } from "./ring.js"

const REST = 160 // milliseconds after which a frame is rested on
export const SPEEDS = [0.25, 0.5, 1, 2, 4]

export class Player {
  constructor(store, server) {
    Object.assign(this, { store, server, listeners: [], film: null, frame: 0, playing: false, over: false, speed: 1, loop: true, drawn: 0 })
    this.ring = new Ring(server, () => this.arrived())
    store.listen((now, before) => this.changed(now, before))
    // a hand on a picture that plays stops it
    document.getElementById("stage").addEventListener("pointerdown", (event) => this.playing && (event.stopPropagation(), this.pause()), { capture: true })
  }

  listen(listener) {
    this.listeners.push(listener)
  }

  tell() {
    for (const listener of this.listeners) listener(this)
  }

  changed(now, before) {
    if (["opening", "picture", "opened", "runs", "films", "outlook", "live"].every((name) => now[name] === before[name])) return
    const film = now.live && now.opened ? filmOf(now) : null, same = film?.name === this.film?.name && now.run === this.run
    if (!same) this.stop()
    Object.assign(this, { film, run: now.run })
    this.ring.use(now.run, film)
    if (film && !this.playing && !now.opening && !this.resting && !(this.over && this.beyond())) this.frame = film.frame
    if (this.over && !this.playing && !now.opening && !this.resting && !this.beyond()) this.over = false
    if (film) this.ring.want(this.frame)
    this.tell()
  }

  // The first and the last frame that can be shown; of a prediction those that it has.
  range() {
    const { outlook } = this.store.state
    return outlook ? [outlook.frame, outlook.frame + outlook.steps] : [0, (this.film?.count ?? 1) - 1]
  }

  // In a prediction the frames behind its start are looked at, and the start alone is edited.
  beyond() {
    const { outlook } = this.store.state
    return Boolean(outlook) && this.frame !== outlook.frame
  }

  stop() {
    this.playing = this.over = this.resting = false
    clearTimeout(this.timer)
  }

  toggle() {
    if (this.playing) this.pause()
    else this.play()
  }

  play() {
    if (!this.film || this.playing) return
    const [first, last] = this.range()
    if (this.frame >= last) this.frame = first
    clearTimeout(this.timer)
    Object.assign(this, { playing: true, over: true, resting: false, began: null })
    this.tell()
    requestAnimationFrame((time) => this.tick(time))
  }

  pause() {
    this.playing = false
    this.rest()
  }

  tick(time) {
    if (!this.playing) return
    if (this.began === null || !this.has(this.frame)) Object.assign(this, { began: time, from: this.frame }) // it waits for frames that are not there yet
    const [first, last] = this.range(), due = this.from + Math.floor(((time - this.began) / 1000) * this.film.rate * this.speed + 1e-6)
    if (due > last && !this.loop) {
      this.show(last)
      return this.pause()
    }
    if (due > last) Object.assign(this, { began: time, from: first })
    const next = due > last ? first : due
    if (next !== this.frame && this.has(next)) this.show(next)
    else if (next !== this.frame) Object.assign(this, { began: null })
    requestAnimationFrame((time) => this.tick(time))
  }

  has(n) {
    return this.store.state.outlook ? true : Boolean(this.ring.get(n))
  }

  // Another pace from the frame that is shown.
  pace(speed) {
    Object.assign(this, { speed, began: null })
    this.tell()
  }

  repeat(loop) {
    this.loop = loop
    this.tell()
  }

  show(n) {
    Object.assign(this, { frame: n, over: true })
    this.ring.want(n)
    this.tell()
  }

  // To a frame, by hand: it is seen at once, and opened when it is rested on.
  seek(n) {
    if (!this.film) return
    const [first, last] = this.range()
    if (this.store.state.outlook && (n < first || n > last)) this.store.set({ outlook: null })
    this.playing = false
    this.show(Math.max(Math.min(n, Math.max(this.film.count - 1, this.range()[1])), 0))
    clearTimeout(this.timer)
    this.resting = true
    this.timer = setTimeout(() => this.rest(), REST)
  }

  step(by) {
    const [first, last] = this.range()
    this.seek(Math.min(Math.max(this.frame + by, first), last))
  }

  // Opens the frame; what is chosen stays, or is chosen when it is there.
  async rest(wanted = {}) {
    clearTimeout(this.timer)
    this.resting = false
    this.tell()
    const { store, film, frame } = this
    if (!film || this.beyond()) return
    try {
      const picture = film.own ? await film.own.picture(frame, this.server) : film.pictureOf(frame)
      if (!picture || frame !== this.frame || this.playing) return
      if (picture === store.state.picture && !store.state.opening) {
        this.over = false
        this.tell()
      } else store.wish({ picture, ...wanted })
    } catch (problem) {
      store.say(problem.message)
    }
  }

  arrived() {
    if (this.ring.failed && this.over) this.store.say(this.ring.failed)
    this.tell()
  }
}
