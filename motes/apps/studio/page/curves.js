// Curves of what runs wrote: one run's alone, or several laid over one another on the same axes, with their values at the pointer.

import { colour, make, shape } from "./draw.js"

export const HELD_OUT = "held-out loss"
export const PLAIN = { smooth: 0, axis: "auto" }
const WIDTH = 300, HEIGHT = 64, TOP = 6, BOTTOM = 58
const SPAN = 30 // an axis is logarithmic by itself where values span more than this factor

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

// The running mean in which each point before counts for this share less.
export function smoothed(points, share) {
  let sum = 0, weight = 0
  return points.map(([step, value]) => {
    sum = sum * share + value
    weight = weight * share + 1
    return [step, sum / weight]
  })
}

const cursors = new Map() // a curve's title -> the step at which values are read; kept while curves are drawn anew

// several: [{ name, tint, points }]
export function curve(title, several, { smooth, axis } = PLAIN) {
  const drawn = several.map((one) => ({ ...one, points: smooth ? smoothed(one.points, smooth) : one.points }))
  const all = drawn.flatMap(({ points }) => points), values = all.map(([, y]) => y), low = Math.min(...values), high = Math.max(...values)
  const last = Math.max(...all.map(([x]) => x)) || 1
  const scale = low > 0 && (axis === "logarithmic" || (axis === "auto" && high / low > SPAN)) ? Math.log : (y) => y, bottom = scale(low), span = scale(high) - bottom || 1
  const place = ([x, y]) => `${((x / last) * WIDTH).toFixed(1)},${(BOTTOM - ((scale(y) - bottom) / span) * (BOTTOM - TOP)).toFixed(1)}`
  const lines = drawn.map(({ tint, points }) => shape("polyline", { points: points.map(place).join(" "), ...(tint && { "--c": tint }) }))
  const cursor = shape("line", { class: "cursor", y1: 0, y2: 62 }), words = make("span", {})
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `${title}: ${inWords(drawn)}` }, shape("line", { x1: 0, y1: 62, x2: WIDTH, y2: 62 }), ...lines, cursor)
  const figure = make("figure", { class: "curve", tabIndex: 0 }, make("figcaption", {}, make("b", {}, title.replaceAll("_", " ")), words), svg)
  const show = (step) => {
    step === undefined ? cursors.delete(title) : cursors.set(title, step)
    cursor.style.display = step === undefined ? "none" : ""
    for (const name of ["x1", "x2"]) cursor.setAttribute(name, ((step ?? 0) / last) * WIDTH)
    words.replaceChildren(...[step === undefined ? newest(drawn) : valuesAt(drawn, step)].flat())
  }
  svg.addEventListener("pointermove", ({ clientX }) => {
    const { left, width } = svg.getBoundingClientRect()
    show(Math.min(Math.max((clientX - left) / width, 0), 1) * last)
  })
  svg.addEventListener("pointerleave", () => show())
  figure.addEventListener("blur", () => show())
  figure.addEventListener("keydown", ({ key }) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[key]
    if (by) show(stepNear(drawn, cursors.get(title) ?? last, by))
  })
  show(cursors.get(title))
  return figure
}

export const tintOf = (run) => colour([0, 2, 3, 1, 4, 5, 6, 7, 8, 9][run % 10]) // neighbours far apart

const brief = (value) => (Math.abs(value) < 1000 ? value.toPrecision(3) : Math.abs(value) < 1e7 ? Math.round(value).toLocaleString("en") : value.toExponential(2))
const ends = (points) => `${brief(points[0][1])} → ${brief(points.at(-1)[1])}`
const tinted = (several, pointOf) => several.map((one) => make("i", { "--c": one.tint ?? "var(--ink)" }, brief(pointOf(one)[1])))
const newest = (several) => (several.length === 1 ? ends(several[0].points) : tinted(several, ({ points }) => points.at(-1)))
const inWords = (several) => several.map(({ name, points }) => `${name ? `${name} ` : ""}${ends(points)}`).join(", ")
const nearest = (points, step) => points.reduce((best, one) => (Math.abs(one[0] - step) < Math.abs(best[0] - step) ? one : best))

function valuesAt(several, step) {
  const [at] = nearest(several.flatMap(({ points }) => points), step)
  return [`step ${at.toLocaleString("en")}`, ...tinted(several, ({ points }) => nearest(points, at))]
}

// The next step with a value, before or after.
function stepNear(several, step, by) {
  const steps = [...new Set(several.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b)
  const at = steps.indexOf(nearest(steps.map((one) => [one]), step)[0])
  return steps[Math.min(Math.max(at + by, 0), steps.length - 1)]
}
