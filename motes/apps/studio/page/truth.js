// What is truly in a held-out picture, drawn over it, where the data know it.

import { shape } from "./draw.js"
import { at } from "./marks.js"

const CROSS = 5 // screen pixels

export const hasTruth = ({ runs, picture, live }) => live && runs.some(({ name, truth }) => truth && name === picture.match(/^held-out\/(.+)\/\d+$/)?.[1])

// Asks for it when it is to be seen.
export class Truth {
  constructor(store, server) {
    Object.assign(this, { store, server })
    store.listen((now, before) => {
      if (now.over.truth && hasTruth(now) && (now.picture !== before.picture || !before.over.truth) && now.truth?.picture !== now.picture) this.ask(now.picture)
    })
  }

  async ask(picture) {
    try {
      const { truth } = await this.server.ask("truth", { picture })
      if (this.store.state.picture === picture) this.store.set({ truth: { picture, ...truth } })
    } catch (problem) {
      this.store.say(problem.message)
    }
  }
}

// Boxes, a cross in the middle of what has none, and landmarks; each white over black, to be seen on any ground.
export function truthMarks({ over, truth, opened, picture, view }) {
  if (!over.truth || truth?.picture !== picture) return []
  const { rows, columns } = opened, arm = (CROSS * columns) / (document.getElementById("marks").clientWidth || 500) / view.zoom
  const boxes = truth.boxes.map(([top, left, bottom, right]) => ["rect", { x: left * columns, y: top * rows, width: (right - left) * columns, height: (bottom - top) * rows }])
  const crosses = [...(boxes.length ? [] : truth.middles), ...truth.points].map(([row, column]) => {
    const { cx, cy } = at(row, column, opened)
    return ["path", { d: `M${cx - arm} ${cy}h${2 * arm}M${cx} ${cy - arm}v${2 * arm}` }]
  })
  return [...boxes, ...crosses].flatMap(([tag, places]) => ["truth under", "truth"].map((name) => shape(tag, { class: name, ...places })))
}
