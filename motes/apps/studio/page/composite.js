// Lay glimpses over a background as the model does: saturating, in order, the first in front (motes/ops/rendering/composite_scaled.py in the browser).

const WHITE = 65535 // layers come in sixteen bits
const HIDDEN = 0.05 // a particle that has no larger share of any pixel is not visible

// Of one axis of a window: its first pixel in the picture and, for each of its pixels, the glimpse's pixels that it blends and their weights.
// `centre` is the window's middle, in pixels of the picture; weights are those of motes/ops/rendering/blending.py.
export function blend(centre, scale, side, size) {
  const half = (side - 1) / 2, height = Math.min(1, scale), reach = (scale + Math.max(1, scale)) / 2, extent = half * scale + reach
  const first = Math.max(Math.floor(centre - extent) + 1, 0), count = Math.max(Math.min(Math.ceil(centre + extent), size) - first, 0)
  const starts = new Int32Array(count + 1), taps = [], weights = []
  for (let i = 0; i < count; i++) {
    const at = first + i - centre
    for (let j = Math.max(Math.ceil((at - reach) / scale + half), 0); j < side && (j - half) * scale < at + reach; j++) {
      taps.push(j)
      weights.push(height * Math.min(1, (reach - Math.abs(at - (j - half) * scale)) / scale))
    }
    starts[i + 1] = taps.length
  }
  return { first, count, starts, taps: Int32Array.from(taps), weights: Float64Array.from(weights) }
}

// Where a particle's window is: what its glimpse shows has its middle at the particle's position.
function windowOf({ side, rows, columns, middle }, { k, position, scale = [1, 1] }) {
  const [down, across] = [rows, columns].map((size, axis) => blend(((position[axis] + 1) * size - 1) / 2 - (middle?.[k][axis] ?? 0) * scale[axis], scale[axis], side, size))
  return { down, across }
}

// Pixel (i, j) of a window; `at` is where the channel begins among the glimpses.
function read({ glimpses, side }, { down, across }, at, i, j) {
  let sum = 0
  for (let r = down.starts[i]; r < down.starts[i + 1]; r++) {
    const row = at + down.taps[r] * side
    let line = 0
    for (let c = across.starts[j]; c < across.starts[j + 1]; c++) line += across.weights[c] * glimpses[row + across.taps[c]]
    sum += down.weights[r] * line
  }
  return sum / WHITE
}

// Calls `visit` for each pixel of the picture that the particle has a share of: its number, the share, and the window's pixel.
function share(layers, one, taken, visit) {
  const { side, depth, columns } = layers, window = windowOf(layers, one), { down, across } = window
  const alpha = one.k * depth * side * side
  for (let i = 0; i < down.count; i++) {
    for (let j = 0; j < across.count; j++) {
      const pixel = (down.first + i) * columns + across.first + j
      if (taken[pixel] >= 1) continue
      const own = Math.min(1 - taken[pixel], one.presence * read(layers, window, alpha, i, j))
      if (own <= 0) continue
      taken[pixel] += own
      visit(pixel, own, window, i, j)
    }
  }
}

const drawn = (layers, particles) => particles.filter((one) => one.presence > 0 && one.k < layers.count)

// layers: { glimpses: Uint16Array of K D S S, alpha first; middle: K 2, or none; count, depth, side; background: Uint16Array of C H W; range: what 0 and 65535 of it mean; rows, columns }
// particles, front first: [{ k, position: [row, column], scale: [rows, columns], presence }]. Returns a sheet: colours and taken, floats in [0, 1] a pixel;
// with `owners`, also which particle has the largest share of each pixel (-1: none has a third).
export function lay(layers, particles, owners = false) {
  const { rows, columns, depth, side } = layers, area = rows * columns, channels = depth - 1, plane = side * side
  const sheet = { colour: new Float32Array(area * channels), taken: new Float32Array(area), owner: null, share: null }
  if (owners) {
    sheet.owner = new Int16Array(area).fill(-1)
    sheet.share = new Float32Array(area).fill(1 / 3)
  }
  for (const one of drawn(layers, particles)) {
    const first = one.k * depth * plane
    share(layers, one, sheet.taken, (pixel, own, window, i, j) => {
      for (let channel = 0; channel < channels; channel++) sheet.colour[pixel * channels + channel] += own * read(layers, window, first + (channel + 1) * plane, i, j)
      if (sheet.owner && own > sheet.share[pixel]) {
        sheet.owner[pixel] = one.of ?? one.k
        sheet.share[pixel] = own
      }
    })
  }
  return sheet
}

// Around the pixels of which a particle has at least half of its largest share (motes/ops/rendering/footprints.py), for each particle:
// [first row, first column, row after the last, column after the last]; null where nothing of it is visible.
export function visibleBoxes(layers, particles) {
  const { rows, columns } = layers, taken = new Float32Array(rows * columns)
  return particles.map((one) => {
    const pixels = [], shares = []
    if (drawn(layers, [one]).length) share(layers, one, taken, (pixel, own) => (pixels.push(pixel), shares.push(own)))
    const largest = shares.reduce((most, own) => Math.max(most, own), 0)
    if (largest <= HIDDEN) return null
    const box = [rows, columns, 0, 0]
    for (const [n, pixel] of pixels.entries()) {
      if (shares[n] < largest / 2) continue
      const row = Math.floor(pixel / columns), column = pixel % columns
      box[0] = Math.min(box[0], row)
      box[1] = Math.min(box[1], column)
      box[2] = Math.max(box[2], row + 1)
      box[3] = Math.max(box[3], column + 1)
    }
    return box
  })
}

// The picture: RGBA bytes.
export function composite(layers, particles) {
  return over(layers, lay(layers, particles))
}

export function over(layers, sheet) {
  const area = layers.rows * layers.columns, channels = layers.depth - 1, [low, high] = layers.range || [0, 1]
  const picture = new Uint8ClampedArray(area * 4)
  for (let pixel = 0; pixel < area; pixel++) {
    const free = 1 - Math.min(Math.max(sheet.taken[pixel], 0), 1)
    for (let channel = 0; channel < 3; channel++) {
      const source = Math.min(channel, channels - 1)
      picture[pixel * 4 + channel] = 255 * (sheet.colour[pixel * channels + source] + free * (low + ((high - low) * layers.background[source * area + pixel]) / WHITE))
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
