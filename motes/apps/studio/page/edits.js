// Pure functions from one record of edits to the next; motes/apps/session/edits.py reads the same record.

export const NOTHING = { particles: {}, order: [], background: "", threshold: 0, code: {}, towards: ["", 0] }
const REACH = 1.5 // a particle may be dragged so far out; 1 is the edge
const SCALES = [0.01, 100]

export const isNothing = (edits) => JSON.stringify(tidied(edits)) === JSON.stringify(NOTHING)

// How many particles there are, added ones counted.
export function count(opened, edits) {
  const found = opened.position.length
  return Math.max(found, ...Object.keys(edits.particles).map((k) => Number(k) + 1))
}

// One particle after the edits.
export function particle(opened, edits, k) {
  const touch = edits.particles[k] || {}
  const base = touch.copy_of && touch.copy_of[0] === "" ? touch.copy_of[1] : k
  const known = base < opened.position.length && !(touch.copy_of && touch.copy_of[0])
  const looked = touch.look && touch.look[0] === "" ? touch.look[1] : base
  const features = [...(opened.features[known ? looked : 0] || [])]
  for (const [dimension, value] of Object.entries(touch.features || {})) features[dimension] = value
  const certainty = known ? opened.certainty[base] : 1
  const unsure = !touch.copy_of && certainty < edits.threshold
  const presence = touch.presence ?? (unsure ? 0 : known ? opened.presence[base] : 1)
  const position = touch.position || (known ? opened.position[base] : [0, 0])
  const offset = (known && opened.offset?.[base]) || [0, 0]
  return {
    k, certainty, features, base, position,
    middle: position.map((value, axis) => value + offset[axis]), // of what it draws
    scale: touch.scale || (known && opened.scale?.[base]) || [1, 1],
    presence,
    there: presence > 0.5 && (certainty >= 0.5 || touch.presence !== undefined), // what was switched on by hand is not doubted
    spread: known ? opened.spread[base] : [0.05, 0.05],
    touched: Object.keys(touch).length > 0,
  }
}

export function particles(opened, edits) {
  return Array.from({ length: count(opened, edits) }, (_, k) => particle(opened, edits, k))
}

// Front first.
export function stacked(opened, edits) {
  const all = particles(opened, edits)
  return edits.order.length === all.length ? edits.order.map((k) => all[k]) : all
}

function touched(edits, k, touch) {
  return { ...edits, particles: { ...edits.particles, [k]: { ...edits.particles[k], ...touch } } }
}

const each = (edits, chosen, change) => chosen.reduce((now, k) => touched(now, k, change(k)), edits)
const within = (value) => Math.round(Math.min(Math.max(value, -REACH), REACH) * 1e5) / 1e5
const short = (value) => Math.round(value * 1e5) / 1e5

export function moved(opened, edits, chosen, [rows, columns]) {
  return each(edits, chosen, (k) => {
    const [row, column] = particle(opened, edits, k).position
    return { position: [within(row + rows), within(column + columns)] }
  })
}

// Larger by these factors along rows and columns, each from its own size.
export function resized(opened, edits, chosen, factors) {
  return each(edits, chosen, (k) => {
    const { scale } = particle(opened, edits, k)
    return { scale: scale.map((value, axis) => short(Math.min(Math.max(value * factors[axis], SCALES[0]), SCALES[1]))) }
  })
}

export const withPresence = (edits, chosen, presence) => each(edits, chosen, () => ({ presence: short(presence) }))

export function withFeature(edits, chosen, dimension, value) {
  return each(edits, chosen, (k) => ({ features: { ...edits.particles[k]?.features, [dimension]: short(value) } }))
}

// Along a direction: every number of the look changes.
export function walked(opened, edits, chosen, axis, by) {
  return each(edits, chosen, (k) => {
    const { features } = particle(opened, edits, k)
    return { features: Object.fromEntries(features.map((value, f) => [f, short(value + by * axis[f])])) }
  })
}

export const withCode = (edits, code) => ({ ...edits, code: { ...edits.code, ...code } })
export const withThreshold = (edits, threshold) => ({ ...edits, threshold })
export const withWay = (edits, picture, share) => ({ ...edits, towards: [picture, share] })
export const onTheWay = (edits) => Boolean(edits.towards[0] && edits.towards[1]) // then only the model knows where particles are
export const withBackground = (edits, picture) => ({ ...edits, background: picture })

// What a particle is now, to be put down elsewhere: in this picture or in another.
export function taken(opened, edits, k, here = "") {
  const one = particle(opened, edits, k), touch = edits.particles[k] || {}
  const origin = touch.copy_of?.[0] ? touch.copy_of : [here, one.base], size = opened.scale ? { scale: one.scale } : {}
  return { copy_of: origin, position: one.position, ...size, presence: one.presence, features: Object.fromEntries(one.features.map((value, f) => [f, short(value)])) }
}

// A new particle in front of all others; where the model takes no more, the least certain free one becomes it. Returns [edits, its number].
export function added(opened, edits, one, offers, offset = [0, 0]) {
  const total = count(opened, edits)
  let k = total
  if (!offers.more) {
    const free = particles(opened, edits).filter((it) => it.presence < 0.5 || it.certainty < 0.5).sort((a, b) => a.presence * a.certainty - b.presence * b.certainty)
    if (!free.length) return [edits, -1]
    k = free[0].k
  }
  const position = [within(one.position[0] + offset[0]), within(one.position[1] + offset[1])]
  const next = { ...edits, particles: { ...edits.particles, [k]: { ...one, position } } }
  return [k < total ? next : { ...next, order: [k, ...order(opened, edits)] }, k]
}

export function withLook(opened, edits, chosen, one) {
  return each(edits, chosen, () => ({ features: { ...one.features } }))
}

export const order = (opened, edits) => stacked(opened, edits).map((one) => one.k)

// way: -1 to the front, 1 to the back.
export function restacked(opened, edits, chosen, way) {
  const rest = order(opened, edits).filter((k) => !chosen.includes(k))
  return { ...edits, order: way < 0 ? [...chosen, ...rest] : [...rest, ...chosen] }
}

// As encoded again; an added particle is switched off, since others may lie behind it in number.
export function forgotten(opened, edits, chosen) {
  const particles = { ...edits.particles }
  for (const k of chosen) {
    if (k < opened.position.length) delete particles[k]
    else particles[k] = { ...particles[k], presence: 0 }
  }
  return { ...edits, particles }
}

function tidied(edits) {
  const particles = Object.fromEntries(Object.entries(edits.particles).filter(([, touch]) => Object.keys(touch).length))
  return { particles, order: edits.order, background: edits.background, threshold: edits.threshold, code: edits.code, towards: edits.towards }
}

// What decides how glimpses and background look; places, sizes, presence and order do not.
export function lookKey(edits) {
  const looks = Object.entries(edits.particles).map(([k, { features, look, copy_of }]) => [k, features, look, copy_of]).filter(([, ...rest]) => rest.some(Boolean))
  return JSON.stringify([looks, edits.background])
}
