// Lay glimpses over a background as the model does: saturating, in order, the first in front (motes/ops/rendering/composite.py in the browser).

const WHITE = 65535 // layers come in sixteen bits

// Of one axis: the window's first pixel, and the fraction by which it lies beyond.
export function cornerAndFraction(position, side, size) {
  const half = size / 2, start = half - side / 2
  const shift = position * half + (start - Math.floor(start))
  const whole = Math.floor(shift)
  return [whole + Math.floor(start), shift - whole]
}

// layers: { glimpses: Uint16Array of K D S S, alpha first; count, depth, side; background: Uint16Array of C H W; rows, columns }
// particles, front first: [{ k, position: [row, column], presence }]. Returns a sheet: colours and taken, floats in [0, 1] a pixel;
// with `owners`, also which particle has the largest share of each pixel (-1: none has a third).
export function lay(layers, particles, owners = false) {
  const { rows, columns, depth } = layers, area = rows * columns, channels = depth - 1
  const sheet = { colour: new Float32Array(area * channels), taken: new Float32Array(area), owner: null, share: null }
  if (owners) {
    sheet.owner = new Int16Array(area).fill(-1)
    sheet.share = new Float32Array(area).fill(1 / 3)
  }
  for (const one of particles) if (one.presence > 0 && one.k < layers.count) paste(layers, one, sheet)
  return sheet
}

function paste(layers, { k, position, presence }, sheet) {
  const { glimpses, side, depth, rows, columns } = layers, plane = side * side, channels = depth - 1
  const [top, down] = cornerAndFraction(position[0], side, rows)
  const [left, across] = cornerAndFraction(position[1], side, columns)
  const first = k * depth * plane
  const near = (1 - down) * (1 - across), right = (1 - down) * across, below = down * (1 - across), far = down * across
  for (let i = Math.max(0, -top); i <= side && top + i < rows; i++) {
    for (let j = Math.max(0, -left); j <= side && left + j < columns; j++) {
      // w[i] = (1 - f) g[i] + f g[i - 1] along both axes, with nothing beyond the ends
      const a = i < side && j < side ? near : 0, b = i < side && j > 0 ? right : 0
      const c = i > 0 && j < side ? below : 0, d = i > 0 && j > 0 ? far : 0
      const at = first + i * side + j, pixel = (top + i) * columns + left + j
      const read = (p) => ((a && a * glimpses[p]) + (b && b * glimpses[p - 1]) + (c && c * glimpses[p - side]) + (d && d * glimpses[p - side - 1])) / WHITE
      const share = Math.min(1 - sheet.taken[pixel], presence * read(at))
      if (share <= 0) continue
      sheet.taken[pixel] += share
      for (let channel = 0; channel < channels; channel++) sheet.colour[pixel * channels + channel] += share * read(at + (channel + 1) * plane)
      if (sheet.owner && share > sheet.share[pixel]) {
        sheet.owner[pixel] = k
        sheet.share[pixel] = share
      }
    }
  }
}

// The picture: RGBA bytes.
export function composite(layers, particles) {
  return over(layers, lay(layers, particles))
}

export function over(layers, sheet) {
  const area = layers.rows * layers.columns, channels = layers.depth - 1
  const picture = new Uint8ClampedArray(area * 4)
  for (let pixel = 0; pixel < area; pixel++) {
    const free = 1 - Math.min(Math.max(sheet.taken[pixel], 0), 1)
    for (let channel = 0; channel < 3; channel++) {
      const source = Math.min(channel, channels - 1)
      picture[pixel * 4 + channel] = 255 * (sheet.colour[pixel * channels + source] + (free * layers.background[source * area + pixel]) / WHITE)
    }
    picture[pixel * 4 + 3] = 255
  }
  return picture
}

// One glimpse alone, transparent where it is: RGBA bytes.
export function glimpse(layers, k) {
  const { glimpses, side, depth } = layers, plane = side * side, first = k * depth * plane
  const picture = new Uint8ClampedArray(plane * 4)
  for (let pixel = 0; pixel < plane; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      picture[pixel * 4 + channel] = glimpses[first + (1 + Math.min(channel, depth - 2)) * plane + pixel] / 257
    }
    picture[pixel * 4 + 3] = glimpses[first + pixel] / 257
  }
  return picture
}
