// Which part of the picture is seen: zoom and pan, as numbers. All sheets show the same part.

export const WHOLE = { zoom: 1, row: 0.5, column: 0.5 } // row and column of the middle, as shares of the picture
const LARGEST = 16

const limited = (value, low, high) => Math.min(Math.max(value, low), high)

function inside({ zoom, row, column }) {
  const half = 0.5 / zoom
  return { zoom, row: limited(row, half, 1 - half), column: limited(column, half, 1 - half) }
}

// Larger by this factor; the point [row, column], in shares of the picture, stays where it is.
export function zoomed(view, factor, [row, column] = [view.row, view.column]) {
  const zoom = limited(view.zoom * factor, 1, LARGEST), share = 1 - view.zoom / zoom
  return inside({ zoom, row: view.row + (row - view.row) * share, column: view.column + (column - view.column) * share })
}

// Moved by shares of what is seen.
export function panned(view, [rows, columns]) {
  return inside({ ...view, row: view.row + rows / view.zoom, column: view.column + columns / view.zoom })
}

export const transformOf = ({ zoom, row, column }) => (zoom === 1 ? "" : `translate(${(0.5 - column * zoom) * 100}%, ${(0.5 - row * zoom) * 100}%) scale(${zoom})`)
