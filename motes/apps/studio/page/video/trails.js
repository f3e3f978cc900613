// The ways of things, drawn over frames: each fades behind its thing, and bears its number.

import { numbers } from "../draw.js"

const BEHIND = 24 // frames of a trail
const RING = 5, LINE = 2.5, LETTERS = 12 // screen pixels

const colour = (number, alpha) => `rgb(${numbers(number).join(" ")} / ${alpha})`

// A canvas over a picture of columns x rows; `scale` turns pixels of the picture into those of the canvas. Returns null where it is not seen.
export function blank(canvas, { columns, rows, zoom = 1 }) {
  const dense = devicePixelRatio * Math.min(zoom, 4), width = Math.round(canvas.clientWidth * dense), height = Math.round(canvas.clientHeight * dense)
  if (!width || !height) return null
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height]
  const context = canvas.getContext("2d")
  context.clearRect(0, 0, width, height)
  return { context, across: width / columns, down: height / rows, unit: devicePixelRatio * Math.min(zoom, 4) / zoom }
}

// things: of each frame, [number, row, column, seen]; those of which `ringed` is true get a ring and their number.
export function drawTrails(sheet, things, frame, { chosen, ringed, labels }) {
  const { context, unit } = sheet
  context.lineCap = context.lineJoin = "round"
  for (const [number, row, column, seen] of things[frame] ?? []) {
    trail(sheet, things, frame, number, number === chosen)
    if (!ringed(number)) continue
    const [x, y] = on(sheet, row, column), larger = number === chosen ? 1.5 : 1, radius = RING * unit * larger
    context.globalAlpha = seen ? 1 : 0.45
    ring(sheet, [x, y], colour(number, 1), larger)
    if (labels) label(sheet, number, x + radius, y - radius)
    context.globalAlpha = 1
  }
}

function trail(sheet, things, frame, number, strong) {
  const { context, unit } = sheet, places = []
  for (let n = frame; n >= Math.max(frame - BEHIND, 0); n--) {
    const one = things[n]?.find(([other]) => other === number)
    if (!one) break
    places.push(on(sheet, one[1], one[2]))
  }
  for (let n = places.length - 1; n > 0; n--) {
    const fresh = 1 - n / (BEHIND + 1)
    Object.assign(context, { strokeStyle: colour(number, (0.15 + 0.85 * fresh) * (strong ? 1 : 0.85)), lineWidth: LINE * unit * (0.5 + fresh) * (strong ? 1.5 : 1) })
    line(context, [places[n], places[n - 1]])
  }
}

// Ways to come: what is expected in the things' colours and with a ring at their ends, other futures thin.
export function drawWays(sheet, steps, upTo, { tones, faint, dashed }) {
  const { context, unit } = sheet, ways = new Map()
  for (const things of steps.slice(0, upTo + 1)) for (const [slot, row, column] of things) ways.set(slot, [...(ways.get(slot) ?? []), on(sheet, row, column)])
  context.setLineDash(dashed ? [4 * unit, 4 * unit] : [])
  for (const [slot, places] of ways) {
    context.globalAlpha = faint ? 0.55 : 1
    Object.assign(context, { strokeStyle: faint ? tones.get(slot) : "#fff", lineWidth: (faint ? 1.2 : 2 * LINE) * unit })
    if (!dashed) line(context, places)
    if (!faint) Object.assign(context, { strokeStyle: dashed ? "rgb(255 255 255 / .8)" : tones.get(slot), lineWidth: (dashed ? 1.4 : LINE) * unit })
    if (!faint) line(context, places)
    if (!faint && !dashed) ring(sheet, places.at(-1), tones.get(slot), 0.8)
    context.globalAlpha = 1
  }
  context.setLineDash([])
}

function ring({ context, unit }, [x, y], tone, larger) {
  for (const [strokeStyle, width] of [["#fff", 2 * LINE], [tone, LINE]]) {
    Object.assign(context, { strokeStyle, lineWidth: width * unit })
    context.beginPath()
    context.arc(x, y, RING * unit * larger, 0, 7)
    context.stroke()
  }
}

function line(context, places) {
  context.beginPath()
  for (const place of places) context.lineTo(...place)
  context.stroke()
}

const on = ({ across, down }, row, column) => [column * across, row * down]

function label({ context, unit }, text, x, y) {
  context.font = `700 ${LETTERS * unit}px ui-sans-serif, system-ui, sans-serif`
  Object.assign(context, { strokeStyle: "#fff", lineWidth: 3.5 * unit, fillStyle: colour(text, 1) })
  context.strokeText(text, x, y)
  context.fillText(text, x, y)
}
