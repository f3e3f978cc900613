// Which particle is under the pointer: the whole thing is the handle.

import { lay } from "./composite.js"
import { onTheWay, particles, stacked } from "./edits.js"
import { at, isSeen } from "./marks.js"
import { drawable } from "./picture.js"

const ON = 9 // screen pixels: so near to a mark, the mark is meant
const NEAR = 22 // so near, it is meant where nothing else is

// `unit`: screen pixels of a pixel of the picture.
export function hitAt(state, [row, column], unit) {
  const { opened, edits, selection } = state
  if (opened?.kind !== "particles" || onTheWay(edits)) return null
  const seen = particles(opened, edits).filter((one) => isSeen(one, state) || selection.includes(one.k))
  const marks = seen.map((one) => ({ k: one.k, far: farFrom(one, opened, row, column) * unit })).sort((a, b) => a.far - b.far)
  const [nearest] = marks
  if (state.over.marks && nearest?.far < ON) return nearest.k
  const owner = ownerAt(state, row, column)
  if (seen.some((one) => one.k === owner)) return owner
  return state.over.marks && nearest?.far < NEAR ? nearest.k : null
}

function farFrom(one, opened, row, column) {
  const { cx, cy } = at(...one.middle, opened)
  return Math.hypot(cy - row, cx - column)
}

const ownersBefore = new WeakMap() // layers -> the last edits, and the owner of each pixel after them

// The particle that draws most of a pixel; null where the model has no layers.
function ownerAt({ opened, edits, layers }, row, column) {
  if (!layers || row < 0 || column < 0 || row >= opened.rows || column >= opened.columns) return null
  if (ownersBefore.get(layers)?.edits !== edits) ownersBefore.set(layers, { edits, owner: lay(layers, drawable(layers, stacked(opened, edits)), true).owner })
  return ownersBefore.get(layers).owner[Math.floor(row) * opened.columns + Math.floor(column)]
}
