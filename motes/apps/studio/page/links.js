// The address: it holds all that a link needs to show the same again, and what comes from a link is read with care.

import { NOTHING, isNothing } from "./edits.js"
import { MODES, OVERLAYS, SAMPLES, SHOWS, STEPS, worksOf } from "./store.js"

// as in motes/apps/session/edits.py
const REACH = 2, SCALES = [0.01, 100], LARGEST = 1e4, ADDED = 256, ENTRIES = 4096, NAME = 300
const SHEETS = 5, WORKS = 1000 // of a link, at most

// What links and saved sessions hold.
export function keptOf(state) {
  const name = (run) => state.runs[run]?.name
  const kept = { r: name(state.run), p: state.picture }
  if (state.others.length) kept.c = state.others.map(name)
  if (state.beside.length) kept.b = state.beside.map(({ run, picture, edits }) => [name(run), picture, edits])
  if (!isNothing(state.edits)) kept.e = state.edits
  if (state.selection.length) kept.s = state.selection
  if (state.show !== "drawn") kept.v = state.show
  if (state.following) kept.t = 1
  if (state.outlook) kept.n = [state.outlook.steps, state.outlook.samples, state.outlook.mode]
  kept.o = OVERLAYS.filter((overlay) => state.over[overlay]).join(" ")
  const works = Object.values(worksOf({ ...state, picture: "" })).filter((work) => !isNothing(work.edits) && !(work.run === kept.r && work.picture === kept.p))
  if (works.length) kept.w = works.map(({ run, picture, edits }) => [run, picture, edits])
  return kept
}

export function toHash(state) {
  return "#" + btoa(unescape(encodeURIComponent(JSON.stringify(keptOf(state))))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")
}

export function fromHash(hash, runs) {
  try {
    return readKept(JSON.parse(decodeURIComponent(escape(atob(hash.slice(1).replaceAll("-", "+").replaceAll("_", "/"))))), runs)
  } catch {
    return null
  }
}

// Runs are named in links; those that are not open here are -1.
export function readKept(kept, runs) {
  if (!isRecord(kept)) return null
  const named = (name) => runs.findIndex((run) => run.name === name)
  const shown = typeof kept.o === "string" ? kept.o.split(" ") : ["marks", "numbers"]
  const works = listOf(kept.w).slice(0, WORKS).filter(isWork).map(([run, picture, edits]) => [run, picture, readEdits(edits)])
  return {
    run: named(kept.r), name: textOf(kept.r), picture: textOf(kept.p), edits: readEdits(kept.e), works,
    others: listOf(kept.c).slice(0, SHEETS).map(named).filter((run) => run >= 0),
    beside: listOf(kept.b).slice(0, SHEETS).filter(isWork).map(([run, picture, edits]) => ({ run: named(run), picture, edits: readEdits(edits), past: [], future: [] })).filter(({ run }) => run >= 0),
    selection: listOf(kept.s).slice(0, ENTRIES).filter((k) => isWhole(k, ENTRIES)),
    following: kept.t === 1, outlook: outlookOf(kept.n),
    show: SHOWS.includes(kept.v) ? kept.v : "drawn", over: Object.fromEntries(OVERLAYS.map((name) => [name, shown.includes(name)])),
  }
}

// What is to come, as strangers write it.
function outlookOf(value) {
  const [steps, samples, mode] = listOf(value)
  return STEPS.includes(steps) && SAMPLES.includes(samples) && MODES.includes(mode) ? { steps, samples, mode } : null
}

// Edits as strangers write them: what cannot be is left out, and numbers are brought into their ranges.
export function readEdits(value) {
  if (!isRecord(value)) return NOTHING
  const [target, share] = pairOf(value.towards) ?? ["", 0]
  const edits = {
    particles: readRecord(value.particles, readTouch),
    order: listOf(value.order).every((k) => isWhole(k, ENTRIES)) ? listOf(value.order).slice(0, ENTRIES) : [],
    background: textOf(value.background),
    threshold: within(value.threshold, 0, 1) ?? 0,
    code: readRecord(value.code, (number) => within(number, -LARGEST, LARGEST)),
    towards: textOf(target) ? [target, within(share, 0, 1) ?? 0] : ["", 0],
  }
  return isNothing(edits) ? NOTHING : edits
}

// What fits this picture: particles that it has, or that may be added to it, one after the other.
export function fitting(edits, opened) {
  if (opened.kind !== "particles" || isNothing(edits)) return edits
  const found = opened.position.length, particles = {}
  let next = found
  for (const k of Object.keys(edits.particles).map(Number).sort((a, b) => a - b)) {
    const added = k === next && k < found + ADDED && edits.particles[k].copy_of
    if (k < found || added) particles[k] = edits.particles[k]
    if (added) next++
  }
  const whole = edits.order.length === next && new Set(edits.order).size === next && edits.order.every((k) => k < next)
  const same = whole || !edits.order.length
  if (same && Object.keys(particles).length === Object.keys(edits.particles).length) return edits
  return { ...edits, particles, order: whole ? edits.order : [] }
}

function readTouch(value) {
  if (!isRecord(value)) return undefined
  const place = numbersOf(value.position, -REACH, REACH), scale = numbersOf(value.scale, ...SCALES)
  const presence = within(value.presence, 0, 1), features = readRecord(value.features, (number) => within(number, -LARGEST, LARGEST))
  const look = sourceOf(value.look), copy = sourceOf(value.copy_of)
  return {
    ...(place && { position: place }), ...(scale && { scale }), ...(presence !== undefined && { presence }),
    ...(Object.keys(features).length && { features }), ...(look && { look }), ...(copy && { copy_of: copy }),
  }
}

function readRecord(value, read) {
  if (!isRecord(value)) return {}
  const entries = Object.entries(value).slice(0, ENTRIES).filter(([name]) => /^\d{1,5}$/.test(name) && Number(name) < ENTRIES)
  return Object.fromEntries(entries.map(([name, one]) => [Number(name), read(one)]).filter(([, one]) => one !== undefined))
}

const isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value)
const isWhole = (value, below) => Number.isInteger(value) && value >= 0 && value < below
const isWork = (value) => Array.isArray(value) && textOf(value[0]) && textOf(value[1])
const listOf = (value) => (Array.isArray(value) ? value : [])
const textOf = (value) => (typeof value === "string" && value.length <= NAME ? value : "")
const within = (value, low, high) => (Number.isFinite(value) ? Math.min(Math.max(value, low), high) : undefined)
const pairOf = (value) => (Array.isArray(value) && value.length === 2 ? value : undefined)

function numbersOf(value, low, high) {
  const pair = pairOf(value)?.map((number) => within(number, low, high))
  return pair?.every((number) => number !== undefined) ? pair : undefined
}

function sourceOf(value) {
  const pair = pairOf(value)
  return pair && typeof pair[0] === "string" && pair[0].length <= NAME && isWhole(pair[1], ENTRIES) ? pair : undefined
}
