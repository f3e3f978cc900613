// Small things that several panels draw with.

// one colour a particle, by its number; the same as in reports (motes/apps/drawing/marks.py)
const COLOURS = ["230 57 110", "255 159 28", "46 134 222", "34 160 95", "142 68 216", "0 150 160", "214 69 25", "120 110 20", "200 60 180", "70 90 200"]
export const colour = (k) => `rgb(${COLOURS[k % COLOURS.length]})`
export const numbers = (k) => COLOURS[k % COLOURS.length].split(" ").map(Number)

// An element: tag, properties, children. Text is text, never markup.
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") element.className = value
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value)
    else if (name.startsWith("--")) element.style.setProperty(name, value)
    else if (name in element && typeof value !== "string") element[name] = value
    else element.setAttribute(name, value)
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false))
  return element
}

export function shape(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag)
  for (const [name, value] of Object.entries(attributes)) name.startsWith("--") ? element.style.setProperty(name, value) : element.setAttribute(name, value)
  element.append(...children.filter(Boolean))
  return element
}

// H W C bytes to RGBA.
export function rgba({ shape: [rows, columns, channels], data }) {
  const picture = new Uint8ClampedArray(rows * columns * 4)
  for (let pixel = 0; pixel < rows * columns; pixel++) {
    for (let channel = 0; channel < 3; channel++) picture[pixel * 4 + channel] = data[pixel * channels + Math.min(channel, channels - 1)]
    picture[pixel * 4 + 3] = 255
  }
  return picture
}

// Several, one after the other.
export function pictures({ shape: [count, ...shape], data }) {
  const size = shape[0] * shape[1] * shape[2]
  return Array.from({ length: count }, (_, n) => rgba({ shape, data: data.subarray(n * size, (n + 1) * size) }))
}

export function put(canvas, pixels, columns, rows = pixels.length / 4 / columns) {
  if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows]
  canvas.getContext("2d").putImageData(new ImageData(pixels, columns, rows), 0, 0)
}

const HEAT = [[16, 14, 30], [78, 22, 92], [184, 40, 94], [246, 112, 50], [252, 236, 160]] // nothing to everything

// How far two pictures are, pixel by pixel; a third of the range is as bright as it gets.
export function error(one, other) {
  const picture = new Uint8ClampedArray(one.length)
  for (let at = 0; at < one.length; at += 4) {
    const off = (Math.abs(one[at] - other[at]) + Math.abs(one[at + 1] - other[at + 1]) + Math.abs(one[at + 2] - other[at + 2])) / 3 / 85
    const place = Math.min(off, 0.999) * (HEAT.length - 1), low = Math.floor(place), share = place - low
    for (let channel = 0; channel < 3; channel++) picture[at + channel] = HEAT[low][channel] * (1 - share) + HEAT[low + 1][channel] * share
    picture[at + 3] = 255
  }
  return picture
}

// How near two pictures are, in decibels.
export function decibels(one, other) {
  let sum = 0
  for (let at = 0; at < one.length; at += 4) for (let c = 0; c < 3; c++) sum += (one[at + c] - other[at + c]) ** 2
  return 10 * Math.log10((65025 * one.length * 0.75) / Math.max(sum, 1e-3))
}

// A picture's name as people would say it.
export function spoken(name) {
  const [kind, ...rest] = name.split("/")
  return kind === "held-out" ? `held out ${Number(rest.at(-1)) + 1}` : kind === "dropped" ? `yours, ${rest[0].slice(0, 4)}` : rest.at(-1)
}

// Tells screen readers.
export const announce = (text) => (document.getElementById("said").textContent = text)

export function save(name, content, type) {
  const link = make("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name })
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 5000)
}
