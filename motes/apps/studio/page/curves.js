// Curves of what runs wrote: one run's alone, or several laid over one another on the same axes.

import { colour, make, shape } from "./draw.js"

export const HELD_OUT = "held-out loss"
const WIDTH = 300, HEIGHT = 64, TOP = 6, BOTTOM = 58

// Of a run's lines: name -> points, the loss on held-out pictures first.
export function seriesOf(lines) {
  const series = new Map()
  const add = (name, step, value) => Number.isFinite(value) && (series.get(name) || series.set(name, []).get(name)).push([step, value])
  series.set(HELD_OUT, [])
  for (const line of lines) {
    if ("validation" in line) add(HELD_OUT, line.step, line.validation)
    else for (const [name, value] of Object.entries(line.terms || {})) add(name, line.step, value)
  }
  return new Map([...series].filter(([, points]) => points.length > 1))
}

// several: [{ name, tint, points }]; logarithmic where the values span more than a factor of thirty.
export function curve(title, several) {
  const steps = several.flatMap(({ points }) => points.map(([x]) => x)), values = several.flatMap(({ points }) => points.map(([, y]) => y))
  const low = Math.min(...values), high = Math.max(...values), last = Math.max(...steps) || 1
  const scale = low > 0 && high / low > 30 ? Math.log : (y) => y, bottom = scale(low), span = scale(high) - bottom || 1
  const place = ([x, y]) => `${((x / last) * WIDTH).toFixed(1)},${(BOTTOM - ((scale(y) - bottom) / span) * (BOTTOM - TOP)).toFixed(1)}`
  const lines = several.map(({ tint, points }) => shape("polyline", { points: points.map(place).join(" "), ...(tint && { "--c": tint }) }))
  return make("figure", { class: "curve" }, make("figcaption", {}, make("b", {}, title.replaceAll("_", " ")), make("span", {}, newest(several))),
    shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `${title}: ${inWords(several)}` }, shape("line", { x1: 0, y1: 62, x2: WIDTH, y2: 62 }), ...lines))
}

export const tintOf = (run) => colour([0, 2, 3, 1, 4, 5, 6, 7, 8, 9][run % 10]) // neighbours far apart

const brief = (value) => (Math.abs(value) < 1000 ? value.toPrecision(3) : Math.abs(value) < 1e7 ? Math.round(value).toLocaleString("en") : value.toExponential(2))
const ends = (points) => `${brief(points[0][1])} → ${brief(points.at(-1)[1])}`
const newest = (several) => (several.length === 1 ? ends(several[0].points) : several.map(({ tint, points }) => make("i", { "--c": tint }, brief(points.at(-1)[1]))))
const inWords = (several) => several.map(({ name, points }) => `${name ? `${name} ` : ""}${ends(points)}`).join(", ")
