// What a particle is called and its colour: those of the thing that it is, where things are followed; else its own number.

import { colour } from "../draw.js"
import { NOTHING, particles } from "../edits.js"
import { at } from "../marks.js"
import { filmOf } from "./films.js"

const NEAR = 0.12 // of the picture's side: so near, a particle is the thing that is followed
const NOBODY = "rgb(128 131 145)"

const known = new WeakMap() // opened -> the things of its frame, and the thing that each particle is

// The things of the open frame; null where none are followed there, or their trails are not to be seen.
export function thingsHere(state) {
  const { tracks, over, picture, opened } = state
  if (!tracks?.done || !over?.tracks || !opened) return null
  return tracks.things[filmOf(state, picture)?.frame] ?? null
}

// The number of the thing that each particle of the open frame is.
export function thingOf(state) {
  const { opened } = state, things = thingsHere(state)
  if (!things || opened.kind !== "particles") return null
  if (known.get(opened)?.things !== things) known.set(opened, { things, numbers: matched(opened, things) })
  return known.get(opened).numbers
}

function matched(opened, things) {
  const there = particles(opened, NOTHING).filter((one) => one.there).map((one) => ({ k: one.k, ...at(...one.middle, opened) }))
  return pairs(there, things, NEAR * Math.max(opened.rows, opened.columns))
}

// The nearest pairs first. ones: { k, cx, cy }; others: [number, row, column].
export function pairs(ones, others, near) {
  const all = ones.flatMap((one) => others.map(([number, row, column]) => ({ k: one.k, number, far: Math.hypot(one.cy - row, one.cx - column) })))
  const numbers = new Map(), taken = new Set()
  for (const { k, number, far } of all.sort((a, b) => a.far - b.far)) {
    if (far > near || numbers.has(k) || taken.has(number)) continue
    numbers.set(k, number)
    taken.add(number)
  }
  return numbers
}

export function called(state, k) {
  const numbers = thingOf(state)
  if (!numbers) return { name: String(k), tone: colour(k) }
  const number = numbers.get(k)
  return number === undefined ? { name: "", tone: NOBODY } : { name: String(number), tone: colour(number) }
}
