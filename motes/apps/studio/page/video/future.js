// What comes next: predicted from the open frame on, as it is and as it was edited.

import { announce, pictures } from "../draw.js"
import { NOTHING, isNothing } from "../edits.js"
import { keep } from "../kept.js"

const KEPT = 6 // answers
const GIVEN = 10 // frames that show how things move (motes/apps/studio/video/futures.py)

// In the state: outlook = { picture, clip, frame, steps, samples, mode, answer, plain }; `plain` is the answer without the edits.
export class Future {
  constructor(store, server, player) {
    Object.assign(this, { store, server, player, known: new Map() })
    store.listen((now, before) => this.changed(now, before))
  }

  can() {
    const { runs, run, opened, live } = this.store.state
    return Boolean(live && opened && this.player.film && runs[run]?.film?.predicts)
  }

  toggle() {
    if (this.store.state.outlook) return this.store.set({ outlook: null })
    this.begin({})
  }

  // Of the frame that is shown, which may have to be opened first.
  begin({ steps = 20, samples = 0, mode = "beside" }) {
    const { picture, run, edits, opening } = this.store.state, { film, resting } = this.player
    if (opening || resting) {
      this.pending = { steps, samples, mode }
      return resting && this.player.rest()
    }
    if (!this.can()) return
    if (film.frame === 0) return this.store.say("one frame shows no motion; go to a later frame to see what comes after it")
    this.player.stop()
    this.store.set({ outlook: { run, picture, clip: film.name, frame: film.frame, steps, samples, mode, answer: null, plain: null } })
    this.ask(edits, true)
  }

  take() {
    const { pending } = this
    this.pending = null
    if (pending) this.begin(pending)
  }

  change(wish) {
    const { outlook, edits } = this.store.state
    if (!outlook) return
    this.store.set({ outlook: { ...outlook, ...wish } })
    if ("steps" in wish || "samples" in wish) this.ask(edits)
  }

  changed(now, before) {
    const wished = now.opened !== before.opened && before.opening?.outlook // by a link
    if (wished) queueMicrotask(() => this.begin(wished))
    if (this.pending && !now.opening && before.opening) queueMicrotask(() => this.take())
    if (!now.outlook) {
      if (before.outlook) announce("back to the film")
      return
    }
    if (now.picture !== now.outlook.picture || now.run !== now.outlook.run || !now.opened) return this.store.set({ outlook: null })
    const rested = now.since === null && !now.dragging
    if (rested && now.edits !== this.asked) this.ask(now.edits)
  }

  async ask(edits, first = false) {
    this.asked = edits
    const { outlook } = this.store.state
    try {
      const plain = await this.answer(outlook, NOTHING), answer = isNothing(edits) ? plain : await this.answer(outlook, edits)
      const { state } = this.store
      if (this.asked !== edits || state.outlook?.picture !== outlook.picture || state.outlook.steps !== outlook.steps || state.outlook.samples !== outlook.samples) return
      this.store.set({ outlook: { ...state.outlook, answer, plain }, note: "" })
      announce(`${outlook.steps} frames predicted${answer === plain ? "" : ", after the edit"}`)
      if (first && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.player.play()
    } catch (problem) {
      if (this.asked === edits) this.store.set({ outlook: null, note: problem.message })
    }
  }

  async answer({ run, clip, frame, steps, samples }, edits) {
    const question = { run, clip, frame, steps, samples, edits }, key = JSON.stringify([this.store.state.runs[run].name, this.store.state.renewed, question])
    if (this.known.has(key)) return this.known.get(key)
    await this.bring(run, clip, frame)
    const { frames, things, samples: futures } = await this.server.ask("future", question)
    const answer = { pictures: pictures(frames), things, samples: futures }
    keep(this.known, key, answer, KEPT)
    return answer
  }

  // Of a person's own film the given frames have to be at the studio.
  async bring(run, clip, frame) {
    const { own } = this.player.film, first = Math.max(frame + 1 - GIVEN, 0)
    if (own) await own.bring({ run, clip, first, count: frame + 1 - first }, this.server)
  }
}
